# find_package(Residue): Residue::alloc, Residue::log. What they need themselves comes from the system's packages, under
# the names that third_party/CMakeLists.txt gives it.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(tl-expected)
find_dependency(fmt)
find_dependency(PkgConfig)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET GLOBAL libzstd)
pkg_check_modules(dw REQUIRED IMPORTED_TARGET GLOBAL libdw)
include(${CMAKE_CURRENT_LIST_DIR}/ResidueTargets.cmake)
