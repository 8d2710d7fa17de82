/* 2002 generation. An implicit list, first fit, that joins nothing. For tests: valid, and deliberately not good. */
#include <string.h>

#include "memlib.h"
#include "mm.h"

team_t team = {"residue", "Test", "test@example.org", "", ""};

#define UP(size) (((size) + 7) & ~(size_t)7)

/* A block: its size with all, the lowest bit set where it is taken; then the payload. */
static size_t *At(void *block) { return block; }

int mm_init(void) { return mem_sbrk(8) == (void *)-1 ? -1 : 0; }

void *mm_malloc(size_t size) {
    const size_t need = UP(size) + 8;
    char *block = (char *)mem_heap_lo() + 8;
    for (; block <= (char *)mem_heap_hi(); block += *At(block) & ~(size_t)1) {
        const size_t has = *At(block);
        if ((has & 1) != 0 || has < need) continue;
        if (has - need >= 16) {
            *At(block + need) = has - need;
            *At(block) = need;
        }
        *At(block) |= 1;
        return block + 8;
    }
    block = mem_sbrk((int)need);
    if (block == (void *)-1) return NULL;
    *At(block) = need | 1;
    return block + 8;
}

void mm_free(void *payload) {
    if (payload != NULL) *At((char *)payload - 8) &= ~(size_t)1;
}

void *mm_realloc(void *payload, size_t size) {
    if (payload == NULL) return mm_malloc(size);
    if (size == 0) {
        mm_free(payload);
        return NULL;
    }
    const size_t had = (*At((char *)payload - 8) & ~(size_t)1) - 8;
    void *moved = mm_malloc(size);
    if (moved == NULL) return NULL;
    memcpy(moved, payload, had < size ? had : size);
    mm_free(payload);
    return moved;
}
