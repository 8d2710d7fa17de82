/* 2016 generation: mm_init is a bool, payloads are aligned to 16. Powers of two, a list for each, nothing split or
   joined. For tests: valid, and deliberately not good. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "memlib.h"
#include "mm.h"

#ifdef DRIVER
#define malloc mm_malloc
#define free mm_free
#define realloc mm_realloc
#define calloc mm_calloc
#define memset mem_memset
#define memcpy mem_memcpy
#endif

enum { CLASSES = 40 };
struct block {
    uint64_t class;
    uint64_t unused;
    struct block *next;
};
static struct block *lists[CLASSES];

bool mm_init(void) {
    for (int i = 0; i < CLASSES; ++i) lists[i] = NULL;
    return true;
}

static uint64_t class_of(size_t size) {
    uint64_t class = 4;
    while (((size_t)1 << class) < size) ++class;
    return class;
}

void *malloc(size_t size) {
    const uint64_t class = class_of(size);
    struct block *block = lists[class];
    if (block != NULL) {
        lists[class] = block->next;
    } else {
        block = mem_sbrk(16 + ((intptr_t)1 << class));
        if (block == (void *)-1) return NULL;
        block->class = class;
    }
    return &block->next;
}

void free(void *payload) {
    if (payload == NULL) return;
    struct block *block = (struct block *)((char *)payload - 16);
    block->next = lists[block->class];
    lists[block->class] = block;
}

void *realloc(void *payload, size_t size) {
    if (payload == NULL) return malloc(size);
    if (size == 0) {
        free(payload);
        return NULL;
    }
    const size_t had = (size_t)1 << ((struct block *)((char *)payload - 16))->class;
    if (had >= size) return payload;
    void *moved = malloc(size);
    if (moved == NULL) return NULL;
    memcpy(moved, payload, had);
    free(payload);
    return moved;
}

void *calloc(size_t count, size_t size) {
    void *payload = malloc(count * size);
    if (payload != NULL) memset(payload, 0, count * size);
    return payload;
}

bool mm_checkheap(int line) {
    (void)line;
    return true;
}
