/* 2004 generation: DRIVER renames. A list of free blocks, last in first out, that splits and joins nothing. For tests:
   valid, and deliberately not good. */
#include <stdlib.h>
#include <string.h>

#include "memlib.h"
#include "mm.h"

#ifdef DRIVER
#define malloc mm_malloc
#define free mm_free
#define realloc mm_realloc
#define calloc mm_calloc
#endif

struct block {
    size_t payload; /* bytes */
    struct block *next;
};
static struct block *free_list;

int mm_init(void) {
    free_list = NULL;
    return 0;
}

void *malloc(size_t size) {
    const size_t need = size < 8 ? 8 : (size + 7) & ~(size_t)7;
    for (struct block **at = &free_list; *at != NULL; at = &(*at)->next) {
        struct block *found = *at;
        if (found->payload < need) continue;
        *at = found->next;
        return &found->next;
    }
    struct block *fresh = mem_sbrk(need + 8);
    if (fresh == (void *)-1) return NULL;
    fresh->payload = need;
    return &fresh->next;
}

void free(void *payload) {
    if (payload == NULL) return;
    struct block *block = (struct block *)((char *)payload - 8);
    block->next = free_list;
    free_list = block;
}

void *realloc(void *payload, size_t size) {
    if (payload == NULL) return malloc(size);
    if (size == 0) {
        free(payload);
        return NULL;
    }
    const size_t had = ((struct block *)((char *)payload - 8))->payload;
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

void mm_checkheap(int verbose) { (void)verbose; }
