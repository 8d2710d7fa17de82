/* An independent calculation of a student's utilisation on traces, for tests: no process of its own, no checks, a heap
   of malloc's, and the formula of METRICS.md, the largest live payload over the largest heap, both in bytes.
   Compiled with a student's file and -DINIT=int or bool. For each trace one line: both numbers, or "failed". */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memlib.h"

INIT mm_init(void);
void *mm_malloc(size_t size);
void mm_free(void *payload);
void *mm_realloc(void *payload, size_t size);

enum { HEAP = 100 << 20, IDS = 1 << 20 };
static char *heap;
static size_t used, most_used;
static struct { void *payload; size_t size; bool live; } blocks[IDS];

void *mem_sbrk(intptr_t increment) {
    if (increment < 0 || (size_t)increment > HEAP - used) return (void *)-1;
    void *old = heap + used;
    used += (size_t)increment;
    if (used > most_used) most_used = used;
    return old;
}
void *mem_heap_lo(void) { return heap; }
void *mem_heap_hi(void) { return heap + used - 1; }
size_t mem_heapsize(void) { return used; }
void *mem_memcpy(void *to, const void *from, size_t n) { return memcpy(to, from, n); }
void *mem_memset(void *to, int value, size_t n) { return memset(to, value, n); }

static size_t live, most_live;
static void now_live(size_t id, void *payload, size_t size) {
    blocks[id].payload = payload;
    blocks[id].size = size;
    blocks[id].live = true;
    live += size;
    if (live > most_live) most_live = live;
}

/* False: it has given NULL. */
static bool step(char letter, long id, size_t size) {
    if (id < 0) {
        mm_free(NULL);
        return true;
    }
    const bool is_live = blocks[id].live;
    if (letter == 'f' || (letter == 'r' && size == 0)) {
        if (!is_live) return true;
        letter == 'f' ? mm_free(blocks[id].payload) : (void)mm_realloc(blocks[id].payload, 0);
        live -= blocks[id].size;
        blocks[id].live = false;
    } else if (letter == 'a' || !is_live) {
        void *payload = letter == 'a' ? mm_malloc(size) : mm_realloc(NULL, size);
        if (payload == NULL && size != 0) return false;
        now_live((size_t)id, payload, size);
    } else if (letter == 'r') {
        void *payload = mm_realloc(blocks[id].payload, size);
        if (payload == NULL) return false;
        live -= blocks[id].size;
        now_live((size_t)id, payload, size);
    }
    return true;
}

static bool run(FILE *trace, bool script) {
    char line[256];
    for (int header = 0; !script && header < 4; ++header) {
        size_t number;
        if (fscanf(trace, "%zu", &number) != 1) return false;
    }
    while (fgets(line, sizeof line, trace) != NULL) {
        char letter;
        long id;
        size_t size = 0;
        if (sscanf(line, " %c %ld %zu", &letter, &id, &size) < 2 || letter == '#') continue;
        if (letter != 'w' && !step(letter, id, size)) return false;
    }
    return true;
}

int main(int count, char **paths) {
    heap = malloc(HEAP);
    for (int i = 1; i < count; ++i) {
        FILE *trace = fopen(paths[i], "r");
        if (trace == NULL) return 1;
        memset(heap, 0, HEAP);
        memset(blocks, 0, sizeof blocks);
        used = most_used = live = most_live = 0;
        mm_init();
        const bool fine = run(trace, strstr(paths[i], ".script") != NULL);
        fclose(trace);
        if (fine) {
            printf("%zu %zu\n", most_live, most_used);
        } else {
            printf("failed\n");
        }
    }
    return 0;
}
