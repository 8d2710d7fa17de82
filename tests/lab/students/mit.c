/* MIT 6.172's names. The next bytes of the heap, and nothing is used again. */
#include <string.h>

#include "./allocator_interface.h"
#include "./memlib.h"

#define UP(size) (((size) + 7) & ~(size_t)7)

int my_init() { return 0; }
int my_check() { return 0; }
void my_reset_brk() { mem_reset_brk(); }
void *my_heap_lo() { return mem_heap_lo(); }
void *my_heap_hi() { return mem_heap_hi(); }

void *my_malloc(size_t size) {
    size_t *block = mem_sbrk(UP(size) + 8);
    if (block == (void *)-1) return NULL;
    *block = size;
    return block + 1;
}

void my_free(void *payload) { (void)payload; }

void *my_realloc(void *payload, size_t size) {
    void *moved = my_malloc(size);
    if (moved == NULL || payload == NULL) return moved;
    const size_t had = ((size_t *)payload)[-1];
    memcpy(moved, payload, had < size ? had : size);
    return moved;
}
