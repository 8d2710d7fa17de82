# glad: the OpenGL and EGL loaders, generated at build time by Debian's /usr/bin/glad (python3-glad). The python3 on
# PATH may be another one without the module, so the package's own program is called. --reproducible keeps it off the
# network.
find_program(GLAD glad PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
set(glad_out ${CMAKE_BINARY_DIR}/generated/glad)
add_custom_command(
  OUTPUT ${glad_out}/src/gl.c ${glad_out}/src/egl.c ${glad_out}/include/glad/gl.h ${glad_out}/include/glad/egl.h
  COMMAND ${GLAD} --quiet --reproducible --api gl:core=3.3,egl=1.5
          --extensions EGL_EXT_platform_base,EGL_MESA_platform_surfaceless --out-path ${glad_out} c --loader
  COMMENT "Generating the OpenGL loader")
enable_language(C)
add_library(tp_glad STATIC ${glad_out}/src/gl.c ${glad_out}/src/egl.c)
target_include_directories(tp_glad SYSTEM PUBLIC ${glad_out}/include)
target_link_libraries(tp_glad PUBLIC ${CMAKE_DL_LIBS})
add_library(tp::glad ALIAS tp_glad)
