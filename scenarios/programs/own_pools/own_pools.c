/* A program with two memory pools of its own, told to Residue by its C header. Compile it as it is, then watch it:
 *
 *     cc -g -I ../../../core/events own_pools.c -o own_pools         (installed: #include <residue/residue.h>)
 *     residue record -o pools.residue -- ./own_pools
 *     residue pools.residue
 *
 * An arena lies in a block of malloc's, and a pool of equal slots lies in a piece of that arena, so in the window the
 * slots are blocks inside the arena inside malloc's block. Without a recorder every residue_... call is one test of a
 * pointer. The tests compile this file as C99 and as C++, in several ways, and check what is seen.
 */
#include <stdio.h>
#include <stdlib.h>

#include "residue.h"

/* --- an arena: gives out the next bytes, and takes all of them back at once --- */

struct arena {
    char *memory;
    size_t capacity, used;
    residue_pool told;
};

static void arena_begin(struct arena *arena, const char *name, size_t capacity) {
    arena->memory = (char *)malloc(capacity);
    if (arena->memory == NULL) abort();
    arena->capacity = capacity;
    arena->used = 0;
    arena->told = residue_pool_create(name, arena->memory, capacity, RESIDUE_NONE);
}

static void *arena_take(struct arena *arena, size_t bytes) {
    const size_t rounded = (bytes + 15) / 16 * 16;
    char *piece;
    if (arena->capacity - arena->used < rounded) {
        residue_pool_failed(arena->told, bytes, RESIDUE_INSUFFICIENT_MEMORY);
        return NULL;
    }
    piece = arena->memory + arena->used;
    arena->used += rounded;
    residue_pool_allocated(arena->told, piece, bytes, rounded); /* once it is there */
    return piece;
}

/* Makes the last piece larger where it is. */
static void *arena_extend(struct arena *arena, void *last, size_t bytes) {
    const size_t at = (size_t)((char *)last - arena->memory), rounded = (bytes + 15) / 16 * 16;
    residue_pool_resizing(arena->told, last, bytes);
    if (arena->capacity - at < rounded) {
        residue_pool_resize_failed(arena->told, last, bytes, RESIDUE_INSUFFICIENT_MEMORY);
        return NULL;
    }
    arena->used = at + rounded;
    residue_pool_resized(arena->told, last, last, bytes, rounded);
    return last;
}

static void arena_reset(struct arena *arena) {
    residue_pool_bulk_freed(arena->told, arena->memory, arena->memory + arena->capacity);
    arena->used = 0;
}

static void arena_end(struct arena *arena) {
    residue_pool_destroy(arena->told);
    free(arena->memory);
}

/* --- a pool of equal slots, in memory that it is given --- */

enum { SLOTS = 16, SLOT_BYTES = 64 };

struct slots {
    char *memory;
    char taken[SLOTS];
    residue_pool told;
};

static void slots_begin(struct slots *slots, const char *name, void *memory, residue_pool from) {
    int i;
    slots->memory = (char *)memory;
    for (i = 0; i < SLOTS; ++i) slots->taken[i] = 0;
    slots->told = residue_pool_create(name, memory, (size_t)SLOTS * SLOT_BYTES, from);
}

static void *slots_take(struct slots *slots, size_t bytes) {
    int i;
    for (i = 0; i < SLOTS; ++i) {
        if (slots->taken[i]) continue;
        slots->taken[i] = 1;
        residue_pool_allocated(slots->told, slots->memory + i * SLOT_BYTES, bytes, SLOT_BYTES);
        return slots->memory + i * SLOT_BYTES;
    }
    residue_pool_failed(slots->told, bytes, RESIDUE_INSUFFICIENT_MEMORY);
    return NULL;
}

static void slots_give(struct slots *slots, void *slot) {
    residue_pool_freed(slots->told, slot); /* before anybody else can take it */
    slots->taken[((char *)slot - slots->memory) / SLOT_BYTES] = 0;
}

int main(void) {
    struct arena level;
    struct slots particles;
    void *alive[SLOTS];
    void *name;
    int i;

    arena_begin(&level, "level", 8192);
    name = arena_take(&level, 100);
    name = arena_extend(&level, name, 150);
    slots_begin(&particles, "particles", arena_take(&level, (size_t)SLOTS * SLOT_BYTES), level.told);

    residue_marker("the fireworks begin");
    for (i = 0; i < SLOTS; ++i) alive[i] = slots_take(&particles, 40 + (size_t)i);
    if (slots_take(&particles, 56) != NULL) return 1; /* the 17th of 16 */
    for (i = 0; i < SLOTS; i += 2) slots_give(&particles, alive[i]);
    residue_pool_freed(particles.told, alive[0]); /* twice: a mistake, which the recording shows */

    residue_marker("the level ends");
    residue_pool_destroy(particles.told); /* with eight alive */
    arena_reset(&level);
    if (arena_take(&level, 8193) != NULL) return 1;
    arena_end(&level);
    printf("done %s\n", name != NULL ? "well" : "badly");
    return 0;
}
