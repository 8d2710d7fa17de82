// residue.h: lets Residue see the pools, arenas and heaps that a program of yours (C99 or C++) makes itself.
//
//     residue_pool pool = residue_pool_create("textures", memory, 65536, RESIDUE_NONE);
//     residue_pool_allocated(pool, p, 100, 128);     /* after p is handed out: 100 bytes asked for, 128 set aside */
//     residue_pool_freed(pool, p);                   /* before its bytes can be handed out again */
//     residue_pool_destroy(pool);
//
// One file, nothing to link: copy it or include <residue/residue.h>. Where nobody listens each call is one test of a
// pointer. Under `residue record -- PROGRAM` or `residue open -- PROGRAM` the recorder's library is loaded into the
// program and provides the functions at the end of this file; then each pool is an allocator of its own in the window
// and in `residue report`, and lies inside the block that its memory came from, whether that is malloc's or a pool's.
//
// Units: sizes are bytes; a size or capacity of 2^48 and more is told as 2^48 - 1. Addresses are those that the program
// itself uses, below 2^48. Texts are UTF-8, end with 0, are copied at once, and are cut after 1,020 bytes.
// Threads: any thread may call anything at any time; for one pool the order of calls is the order in time, so a free is
// told before the memory is given to another thread and an allocation once it is there. Not in a signal handler: what
// a handler tells while its thread is in malloc is lost (and counted).
// Errors: nothing here fails, sets errno or calls malloc. What makes no sense (a pool that is gone, a free of what was
// never allocated, a block outside of the pool) becomes a failed event or a warning of the recording.
// Cost where somebody listens: as a malloc under the recorder, mostly the call trace (which frees have none of).
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t residue_pool;
#define RESIDUE_NONE ((residue_pool)0)  // no pool; as a parent: the memory is malloc's, mmap's or static

// Why a request failed or a free is wrong; as MemoryError of the library.
enum residue_error {
    RESIDUE_INSUFFICIENT_MEMORY = 1,  // fewer free bytes than the request needs
    RESIDUE_FRAGMENTATION = 2,        // enough free bytes, but in no single hole
    RESIDUE_BUFFER_TOO_LARGE = 3,     // more than the pool could ever give
    RESIDUE_DOUBLE_FREE = 4,
    RESIDUE_INVALID_POINTER = 5
};

// What is told; as EventKind of the library (events/kinds.hpp says which fields each kind uses).
enum residue_kind {
    RESIDUE_POOL_CREATED = 0,
    RESIDUE_POOL_DESTROYED = 1,
    RESIDUE_ALLOCATED = 2,
    RESIDUE_FREED = 3,
    RESIDUE_RESIZE_BEGINS = 4,
    RESIDUE_RESIZE_ENDS = 5,
    RESIDUE_ALLOCATE_FAILED = 6,
    RESIDUE_FREE_FAILED = 7,
    RESIDUE_ACCESS_FAILED = 8,
    RESIDUE_BULK_FREED = 9,
    RESIDUE_REGION_GROWN = 10,
    RESIDUE_REGION_SHRUNK = 11,
    RESIDUE_OUTPUT = 13,
    RESIDUE_MARKER = 14,
    RESIDUE_DUCK = 16
};

#define RESIDUE_TRACE_HERE UINT32_MAX  // take the call trace of whoever calls residue_v1_tell

// One thing that happened. Zero what you do not use. The functions below fill it in for the usual cases; use it with
// residue_tell where a block has a header, padding or slack:
//     [ padding | header | size | rounding | slack ], `address` being where `size` begins.
struct residue_told {
    uint32_t bytes;  // sizeof(struct residue_told)
    residue_pool pool;
    uint64_t address;
    uint64_t size;
    uint64_t argument;
    uint64_t rounding;
    uint32_t padding;
    uint32_t slack;
    uint32_t trace;  // 0: none
    residue_pool parent;
    uint16_t header;
    uint8_t kind;            // enum residue_kind
    uint8_t error;           // 0, or enum residue_error
    uint8_t alignment_log2;  // asked for: 1 << alignment_log2
    uint8_t flags;           // of the library's events: EventFlag bits
    uint16_t unused;
    const char* text;
    uint64_t text_bytes;
};

typedef uint32_t (*residue_teller)(const struct residue_told*);

#define RESIDUE_INLINE static inline __attribute__((always_inline, unused))

// The recorder's functions, or null where there is no recorder. They are weak and undefined, and their addresses are
// read from the global offset table: a plain `if (residue_v1_tell)` is resolved to null by the linker in a program that
// is not position independent.
#if defined(__x86_64__)
#define RESIDUE_WEAK_ADDRESS(name, into) \
    __asm__(".weak " #name "\n\tmovq " #name "@GOTPCREL(%%rip), %0" : "=r"(into))
#elif defined(__aarch64__)
#define RESIDUE_WEAK_ADDRESS(name, into) \
    __asm__(".weak " #name "\n\tadrp %0, :got:" #name "\n\tldr %0, [%0, #:got_lo12:" #name "]" : "=r"(into))
#else
uint32_t residue_v1_tell(const struct residue_told* told) __attribute__((weak, visibility("default")));
uint32_t residue_v1_trace(unsigned skip) __attribute__((weak, visibility("default")));
uint32_t residue_v1_pool(void) __attribute__((weak, visibility("default")));
#define RESIDUE_WEAK_ADDRESS(name, into) (into) = &name
#endif

// Null: nobody listens.
RESIDUE_INLINE residue_teller residue_listener(void) {
    residue_teller teller;
    RESIDUE_WEAK_ADDRESS(residue_v1_tell, teller);
    return teller;
}

RESIDUE_INLINE struct residue_told residue_what(residue_pool pool, enum residue_kind kind, const void* address,
                                                size_t size) {
    struct residue_told told = {
        sizeof(struct residue_told), 0, 0, 0, 0, 0, 0, 0, RESIDUE_TRACE_HERE, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    told.pool = pool;
    told.kind = (uint8_t)kind;
    told.address = (uint64_t)(uintptr_t)address;
    told.size = (uint64_t)size;
    return told;
}

RESIDUE_INLINE uint64_t residue_length(const char* text) {
    uint64_t length = 0;
    while (text != NULL && length <= 1020 && text[length] != '\0') ++length;
    return length;
}

// --- what a program tells ---

// Anything, field by field. A new pool's handle, else 0.
RESIDUE_INLINE uint32_t residue_tell(const struct residue_told* told) {
    residue_teller const tell = residue_listener();
    return tell != NULL ? tell(told) : 0;
}

// A pool begins: it gives out pieces of [base, base + capacity). `base` null and `capacity` 0: what memory it has is
// not known, or comes later (residue_pool_grown). `parent`: the pool that the memory was allocated from, else
// RESIDUE_NONE. At most 65,534 pools at a time. RESIDUE_NONE is returned where nobody listens, and may be passed on.
RESIDUE_INLINE residue_pool residue_pool_create(const char* name, const void* base, size_t capacity,
                                                residue_pool parent) {
    residue_teller const tell = residue_listener();
    if (tell == NULL) return RESIDUE_NONE;
    struct residue_told told = residue_what(RESIDUE_NONE, RESIDUE_POOL_CREATED, base, capacity);
    told.parent = parent;
    told.text = name;
    told.text_bytes = residue_length(name);
    return tell(&told);
}

RESIDUE_INLINE void residue_simple(residue_pool pool, enum residue_kind kind, const void* address, size_t size) {
    residue_teller const tell = residue_listener();
    if (tell == NULL) return;
    struct residue_told told = residue_what(pool, kind, address, size);
    (void)tell(&told);
}

// Its live blocks end with it. Before its memory goes back to where it came from.
RESIDUE_INLINE void residue_pool_destroy(residue_pool pool) {
    residue_simple(pool, RESIDUE_POOL_DESTROYED, NULL, 0);
}

// `p` has been handed out: `requested` bytes were asked for, `set_aside` (>= requested; 0: as many) are in use for it.
RESIDUE_INLINE void residue_pool_allocated(residue_pool pool, const void* p, size_t requested, size_t set_aside) {
    residue_teller const tell = residue_listener();
    if (tell == NULL) return;
    struct residue_told told = residue_what(pool, RESIDUE_ALLOCATED, p, requested);
    told.rounding = set_aside > requested ? set_aside - requested : 0;
    (void)tell(&told);
}

// A request that could not be served. `error`: enum residue_error.
RESIDUE_INLINE void residue_pool_failed(residue_pool pool, size_t requested, enum residue_error error) {
    residue_teller const tell = residue_listener();
    if (tell == NULL) return;
    struct residue_told told = residue_what(pool, RESIDUE_ALLOCATE_FAILED, NULL, requested);
    told.error = (uint8_t)error;
    (void)tell(&told);
}

// `p` goes back. One that is not live becomes a failed free of the recording.
RESIDUE_INLINE void residue_pool_freed(residue_pool pool, const void* p) {
    residue_simple(pool, RESIDUE_FREED, p, 0);
}

// A resize. `residue_pool_resizing` is told before the old bytes can be handed out to another thread, and may be left
// out in a pool of one thread. Then it has moved (or not: p == old), or it failed and the old block stays.
RESIDUE_INLINE void residue_pool_resizing(residue_pool pool, const void* old, size_t requested) {
    residue_simple(pool, RESIDUE_RESIZE_BEGINS, old, requested);
}
RESIDUE_INLINE void residue_pool_resized(residue_pool pool, const void* old, const void* p, size_t requested,
                                         size_t set_aside) {
    residue_teller const tell = residue_listener();
    if (tell == NULL) return;
    struct residue_told told = residue_what(pool, RESIDUE_RESIZE_ENDS, p, requested);
    told.rounding = set_aside > requested ? set_aside - requested : 0;
    told.argument = (uint64_t)(uintptr_t)old;
    (void)tell(&told);
}
RESIDUE_INLINE void residue_pool_resize_failed(residue_pool pool, const void* old, size_t requested,
                                               enum residue_error error) {
    residue_teller const tell = residue_listener();
    if (tell == NULL) return;
    struct residue_told told = residue_what(pool, RESIDUE_RESIZE_ENDS, NULL, requested);
    told.argument = (uint64_t)(uintptr_t)old;
    told.error = (uint8_t)error;
    (void)tell(&told);
}

// Every live block that starts in [begin, end) goes back at once: the reset of an arena, a mark that is released.
RESIDUE_INLINE void residue_pool_bulk_freed(residue_pool pool, const void* begin, const void* end) {
    const uintptr_t from = (uintptr_t)begin, to = (uintptr_t)end;
    residue_simple(pool, RESIDUE_BULK_FREED, begin, to > from ? (size_t)(to - from) : 0);
}

// The pool has got more memory (from its parent), or has given some back; blocks in what it gives back end.
RESIDUE_INLINE void residue_pool_grown(residue_pool pool, const void* base, size_t bytes) {
    residue_simple(pool, RESIDUE_REGION_GROWN, base, bytes);
}
RESIDUE_INLINE void residue_pool_shrunk(residue_pool pool, const void* base, size_t bytes) {
    residue_simple(pool, RESIDUE_REGION_SHRUNK, base, bytes);
}

// A moment with a name, on the timeline: "level 2 begins".
RESIDUE_INLINE void residue_marker(const char* text) {
    residue_teller const tell = residue_listener();
    if (tell == NULL) return;
    struct residue_told told = residue_what(RESIDUE_NONE, RESIDUE_MARKER, NULL, 0);
    told.trace = 0;
    told.text = text;
    told.text_bytes = residue_length(text);
    (void)tell(&told);
}

#ifdef __cplusplus
}
#endif
