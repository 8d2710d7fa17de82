// A library that the subject opens while it is watched, with tables of its own.
#include <cstdlib>

extern "C" __attribute__((visibility("default"))) void PluginTake(std::size_t size) {
    void* volatile block = std::malloc(size);
    std::free(block);
}
