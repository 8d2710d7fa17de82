#include "lab/support_texts.hpp"

#include <regex>

#include "lab/layout.hpp"

namespace residue::lab {
namespace {

static_assert(kServicesAddress == 0x1F000000, "as in the text below");

constexpr const char* kMemlib = R"C(
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct Services {
    void *(*sbrk)(long increment);
    void (*resetBrk)(void);
    void *(*heapLow)(void);
    void *(*heapHigh)(void);
    unsigned long (*heapSize)(void);
    void (*seal)(void);
};
#define SERVICES ((const struct Services *)0x1F000000UL)

/* The library's first instruction. What follows the call keeps it from being a jump. */
void residue_lab_enter(void) {
    SERVICES->seal();
    __asm__ volatile("" ::: "memory");
}

void mem_init(void) {}
void mem_deinit(void) {}
void *mem_sbrk(RESIDUE_SBRK increment) { return SERVICES->sbrk(increment); }
void mem_reset_brk(void) { SERVICES->resetBrk(); }
void *mem_heap_lo(void) { return SERVICES->heapLow(); }
void *mem_heap_hi(void) { return SERVICES->heapHigh(); }
size_t mem_heapsize(void) { return SERVICES->heapSize(); }
size_t mem_pagesize(void) { return 4096; }

/* CMU, 2016 and later. */
void *mem_memcpy(void *to, const void *from, size_t bytes) { return memcpy(to, from, bytes); }
void *mem_memset(void *to, int value, size_t bytes) { return memset(to, value, bytes); }
uint64_t mem_read(const void *from, size_t bytes) {
    uint64_t value = 0;
    memcpy(&value, from, bytes < sizeof(value) ? bytes : sizeof(value));
    return value;
}
void mem_write(void *to, uint64_t value, size_t bytes) {
    memcpy(to, &value, bytes < sizeof(value) ? bytes : sizeof(value));
}
#ifdef __SIZEOF_INT128__
__uint128_t mem_read128(const void *from) {
    __uint128_t value;
    memcpy(&value, from, sizeof(value));
    return value;
}
void mem_write128(void *to, __uint128_t value) { memcpy(to, &value, sizeof(value)); }
#endif
bool setUBCheck(bool check) { return check; }
void hprobe(void *pointer, int offset, size_t count) {
    const unsigned char *bytes = (const unsigned char *)pointer + offset;
    printf("Bytes %p...%p: 0x", (const void *)(bytes + count), (const void *)bytes);
    while (count-- > 0) printf("%02x", bytes[count]);
    printf("\n");
}

/* So that the linker says what is missing. */
#ifdef RESIDUE_MIT
void my_init(void);
void my_malloc(void);
void my_free(void);
void my_realloc(void);
__attribute__((used)) void (*const residue_lab_needs[])(void) = {my_init, my_malloc, my_free, my_realloc};
#else
void mm_init(void);
void mm_malloc(void);
void mm_free(void);
void mm_realloc(void);
__attribute__((used)) void (*const residue_lab_needs[])(void) = {mm_init, mm_malloc, mm_free, mm_realloc};
#endif
)C";

constexpr const char* kMemlibHeader = R"C(#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

void mem_init(void);
void mem_deinit(void);
void *mem_sbrk(intptr_t incr);
void mem_reset_brk(void);
void *mem_heap_lo(void);
void *mem_heap_hi(void);
size_t mem_heapsize(void);
size_t mem_pagesize(void);

void *mem_memcpy(void *dst, const void *src, size_t n);
void *mem_memset(void *dst, int c, size_t n);
uint64_t mem_read(const void *addr, size_t len);
void mem_write(void *addr, uint64_t val, size_t len);
bool setUBCheck(bool check);
void hprobe(void *ptr, int offset, size_t count);
)C";

constexpr const char* kContracts = R"C(#pragma once
#define REQUIRES(condition) ((void)0)
#define ASSERT(condition) ((void)0)
#define ENSURES(condition) ((void)0)
)C";

constexpr const char* kMitHeader = R"C(#pragma once
#include <stddef.h>

int my_init();
void *my_malloc(size_t size);
void *my_realloc(void *ptr, size_t size);
void my_free(void *ptr);
int my_check();
void my_reset_brk();
void *my_heap_lo();
void *my_heap_hi();
)C";

constexpr const char* kMmHeader = R"C(#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

void *mm_malloc(size_t size);
void mm_free(void *ptr);
void *mm_realloc(void *ptr, size_t size);
void *mm_calloc(size_t nmemb, size_t size);

typedef struct {
    char *teamname;
    char *name1, *id1;
    char *name2, *id2;
} team_t;
extern team_t team;
)C";

}  // namespace

const char* MemlibSource() {
    return kMemlib;
}
const char* MemlibHeader() {
    return kMemlibHeader;
}
const char* ContractsHeader() {
    return kContracts;
}
const char* MitHeader() {
    return kMitHeader;
}

std::string MmHeader(const std::string& source) {
    // Bounded repetitions: std::regex recurses on others.
    static const std::regex definition(
        R"((?:^|\n)[ \t]{0,16}(int|bool|void|_Bool)\s{1,16}(mm_init|mm_checkheap)\s{0,4}\()");
    std::string header = kMmHeader;
    bool init = false, check = false;
    for (std::sregex_iterator at(source.begin(), source.end(), definition), end; at != end; ++at) {
        bool& seen = (*at)[2] == "mm_init" ? init : check;
        if (!seen) header += (*at)[1].str() + " " + (*at)[2].str() + "();\n";
        seen = true;
    }
    return header;
}

std::string ProbeText(bool mit) {
    const std::string init = mit ? "my_init" : "mm_init";
    std::string text = "\n#include \"memlib.h\"\n";
    text += "const char *const residue_lab_init = _Generic(&" + init + ", int (*)(void): \"" + kInitIsInt +
            "\", _Bool (*)(void): \"" + kInitIsBool + "\", default: \"\");\n";
    text += std::string("const char *const residue_lab_sbrk = _Generic(&mem_sbrk, void *(*)(int): \"") + kSbrkTakesInt +
            "\", default: \"" + kSbrkTakesLong + "\");\n";
    return text;
}

}  // namespace residue::lab
