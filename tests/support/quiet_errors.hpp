// Sinks what is written to the error stream for as long as it lives.
#pragma once

#include <unistd.h>

#include <cstdio>

namespace support {

// Keeps the duck off the terminal: the registry's residue allocator yells at the error stream, as it should.
struct QuietErrors {
    QuietErrors() : saved(dup(2)) { dup2(fileno(sunk), 2); }
    ~QuietErrors() {
        std::fflush(stderr);
        dup2(saved, 2);
        close(saved);
        std::fclose(sunk);
    }
    std::FILE* sunk = std::tmpfile();
    int saved;
};

}  // namespace support
