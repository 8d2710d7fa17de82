/* A list of free blocks, last in first out, with the bug whose number is BUG. For tests: -DBUG=3. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memlib.h"
#include "mm.h"

#ifndef BUG
#define BUG 0
#endif

team_t team = {"residue", "Test", "test@example.org", "", ""};

struct block {
    size_t payload; /* bytes */
    struct block *next;
};
static struct block *free_list;
static int calls;
static volatile int zero;

static struct block *block_of(void *payload) { return (struct block *)((char *)payload - 8); }

int mm_init(void) {
    calls = 0;
#if BUG != 6 /* the list of the last run is kept */
    free_list = NULL;
#endif
#if BUG == 13
    return -1;
#else
    return 0;
#endif
}

__attribute__((noinline)) static int sink(int depth) {
    volatile char frame[512];
    frame[0] = (char)depth;
    return sink(depth + 1) + frame[0];
}

__attribute__((noinline)) static void write_at(uintptr_t address) { *(volatile char *)address = 7; }

void *mm_malloc(size_t size) {
    const size_t need = size < 8 ? 8 : (size + 7) & ~(size_t)7;
    ++calls;
#if BUG == 3 /* memory of its own */
    if (calls == 3) return malloc(size);
#elif BUG == 8
    if (calls == 3) return NULL;
#elif BUG == 9
    while (calls == 3) {}
#elif BUG == 10
    if (calls == 3) return (void *)(intptr_t)sink(0);
#elif BUG == 11 /* the byte behind the heap */
    if (calls == 3) write_at((uintptr_t)mem_heap_hi() + 1);
#elif BUG == 12 /* behind its last page */
    if (calls == 3) write_at((uintptr_t)mem_heap_hi() + 8192);
#elif BUG == 14
    if (calls == 3) return (void *)(intptr_t)(calls / zero);
#elif BUG == 15
    if (calls == 3) write_at(0);
#elif BUG == 17 /* in the C library */
    if (calls == 3) memset((char *)mem_heap_hi() + 8192, 1, 64);
#elif BUG == 18
    assert(calls != 3);
#elif BUG == 19 /* before the heap */
    if (calls == 3) write_at((uintptr_t)mem_heap_lo() - 16);
#endif
    for (struct block **at = &free_list; *at != NULL; at = &(*at)->next) {
        struct block *found = *at;
        if (found->payload < need) continue;
#if BUG != 2 /* it stays in the list */
        *at = found->next;
#endif
        return &found->next;
    }
    struct block *fresh = mem_sbrk((int)need + 8);
    if (fresh == (void *)-1) return NULL;
#if BUG == 7 /* takes fresh memory to be zero */
    if (fresh->payload != 0) return NULL;
#endif
    fresh->payload = need;
#if BUG == 1
    if (calls == 3) return (char *)&fresh->next + 4;
#endif
    return &fresh->next;
}

void mm_free(void *payload) {
    if (payload == NULL) return;
    struct block *block = block_of(payload);
#if BUG == 5 /* a footer that has no room: over the next block's header and payload */
    memset((char *)payload + block->payload, 0x55, 16);
#endif
    block->next = free_list;
    free_list = block;
}

void *mm_realloc(void *payload, size_t size) {
    if (payload == NULL) return mm_malloc(size);
    if (size == 0) {
        mm_free(payload);
#if BUG == 16
        return payload;
#else
        return NULL;
#endif
    }
    void *moved = mm_malloc(size);
    if (moved == NULL) return NULL;
    const size_t had = block_of(payload)->payload;
#if BUG != 4 /* nothing is copied */
    memcpy(moved, payload, had < size ? had : size);
#endif
    mm_free(payload);
    return moved;
}
