// For benchmarks that draw: once in a program, in its main file.
#pragma once

// The software renderer and fontconfig keep what they made until the process ends.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:swrast_dri\nleak:libEGL\nleak:libGLX\nleak:libgallium\nleak:fontconfig\nleak:libLLVM\nleak:<unknown "
           "module>\n";
}
