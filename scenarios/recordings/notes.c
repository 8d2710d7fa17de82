/* The program behind the recordings here: a small store of notes that grows, forgets some, and never frees a few.
   `record` runs it under each tool. */
#include <mcheck.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct note {
    struct note* next;
    char* text;
};

static struct note* notes;

__attribute__((noinline)) static char* copy_text(const char* text) {
    char* copy = malloc(strlen(text) + 1);
    return strcpy(copy, text);
}

__attribute__((noinline)) static void add_note(const char* text) {
    struct note* note = malloc(sizeof *note);
    note->text = copy_text(text);
    note->next = notes;
    notes = note;
}

__attribute__((noinline)) static void drop_every(int n) {
    int i = 0;
    for (struct note** at = &notes; *at;) {
        struct note* note = *at;
        if (i++ % n != 0) {
            at = &note->next;
            continue;
        }
        *at = note->next;
        free(note->text);
        free(note);
    }
}

__attribute__((noinline)) static char* join_notes(void) {
    char* all = NULL;
    size_t length = 0;
    for (struct note* note = notes; note; note = note->next) {
        const size_t more = strlen(note->text);
        all = realloc(all, length + more + 1);
        memcpy(all + length, note->text, more + 1);
        length += more;
    }
    return all;
}

int main(int argc, char** argv) {
    if (argc > 1 && strcmp(argv[1], "mtrace") == 0) mtrace();
    char text[64];
    for (int i = 0; i < 12; ++i) {
        snprintf(text, sizeof text, "note %d%.*s", i, i * 3, ", and more and more and more and more");
        add_note(text);
    }
    drop_every(3);
    char* all = join_notes();
    void* volatile page = aligned_alloc(64, 256);
    int* table = calloc(20, sizeof *table);
    all = realloc(all, 600);
    table[0] = (int)strlen(all);
    free(page);
    void* volatile none = malloc(SIZE_MAX / 2 - (size_t)argc); /* nobody has that much */
    void* volatile same = realloc(table, SIZE_MAX / 2 - (size_t)argc);
    if (none == NULL && same == NULL) free(all);
    void* volatile fresh = realloc(NULL, 40);
    free(fresh);
    drop_every(2);
    if (argc > 1 && strcmp(argv[1], "mtrace") == 0) muntrace();
    return 0; /* the notes that are left, and the table, are never freed */
}
