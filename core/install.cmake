# cmake --install: the programs, the shipped traces, and the memory library with what records it, so that another project
# can say find_package(Residue) and link Residue::alloc (the allocators) and Residue::log (the recorder).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(library base events symbols alloc log)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Residue)
foreach(layer ${library})
  set_target_properties(residue_${layer} PROPERTIES EXPORT_NAME ${layer})
  install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/core/${layer} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/residue
    FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
endforeach()
# For C and C++ programs that link nothing of ours: #include <residue/residue.h>.
install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/core/events/residue.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/residue)
list(TRANSFORM library PREPEND residue_)
install(TARGETS ${library} residue_options tp_expected tp_threads tp_fmt tp_zstd tp_dw EXPORT ResidueTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT ResidueTargets NAMESPACE Residue:: DESTINATION ${package})
configure_file(core/ResidueConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/ResidueConfig.cmake COPYONLY)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/ResidueConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ResidueConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/ResidueConfigVersion.cmake
  DESTINATION ${package})

install(TARGETS residue)
# Beside the program in a build folder, in a folder of its own when installed: capture/launch.cpp looks in both.
install(TARGETS residue_preload LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/residue)
install(TARGETS residue-lab-host residue-race-peer RUNTIME DESTINATION ${CMAKE_INSTALL_LIBDIR}/residue)
if(RESIDUE_GUI)
  install(TARGETS residue-view)
endif()
