/*
 * The simplest allocator there is, for `residue lab scenarios/lab/mm.c TRACES...`: each request gets the next bytes of
 * the heap, and nothing is ever used again. It is valid and fast, and its utilisation is as poor as can be. A better
 * one is yours to write.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "memlib.h"
#include "mm.h"

#define ALIGNMENT 8
#define ROUND_UP(size) (((size) + (ALIGNMENT - 1)) & ~(size_t)(ALIGNMENT - 1))
/* Before each payload: its size, so that mm_realloc knows what to copy. */
#define HEADER ROUND_UP(sizeof(size_t))

team_t team = {"nobody", "Nobody", "nobody@example.org", "", ""};

int mm_init(void) {
    return 0;
}

void *mm_malloc(size_t size) {
    char *block = mem_sbrk((int)(HEADER + ROUND_UP(size)));
    if (block == (void *)-1) return NULL;
    *(size_t *)block = size;
    return block + HEADER;
}

/* Forgets the block. */
void mm_free(void *payload) {
    (void)payload;
}

void *mm_realloc(void *payload, size_t size) {
    if (payload == NULL) return mm_malloc(size);
    if (size == 0) return NULL;
    void *moved = mm_malloc(size);
    if (moved == NULL) return NULL;
    size_t old = *(size_t *)((char *)payload - HEADER);
    memcpy(moved, payload, old < size ? old : size);
    return moved;
}
