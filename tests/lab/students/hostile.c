/* An allocator that misbehaves when it is asked for a certain size. For tests. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "memlib.h"
#include "mm.h"

team_t team = {"residue", "Test", "test@example.org", "", ""};

static jmp_buf back;
static volatile int jumped;

int mm_init(void) {
    jumped = 0;
    if (setjmp(back) != 0) jumped = 1;
    return 0;
}

static void ignore(int number) { (void)number; }

static void misbehave(size_t size) {
    switch (size) {
        case 1001: /* no bomb, should it ever not be stopped: a hundred that end at once */
            for (int i = 0; i < 100; ++i) {
                if (fork() == 0) _exit(0);
            }
            break;
        case 1002: execl("/bin/sh", "sh", "-c", "touch was-here", (char *)NULL); break;
        case 1003: fopen("/etc/passwd", "r"); break;
        case 1004: socket(AF_INET, SOCK_STREAM, 0); break;
        case 1005: kill(getppid(), SIGKILL); break;
        case 1006: kill(-1, 0); break; /* the call is what is forbidden; with a signal it would end the machine's work */
        case 1007: raise(SIGKILL); break;
        case 1008: signal(SIGSEGV, ignore); break;
        case 1009: longjmp(back, 1);
        case 1010: exit(0);
        case 1011: _exit(3);
        case 1012: for (;;) puts("all work and no play makes jack a dull boy");
        case 1013: sleep(1000); break;
        case 1014: syscall(SYS_ptrace, 0, 0, 0, 0); break;
        case 1015: syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); break;
        case 1016: unlink("/tmp/whatever"); break;
        case 1017: mprotect((void *)((uintptr_t)misbehave & ~4095ul), 4096, PROT_READ | PROT_WRITE | PROT_EXEC); break;
        case 1018: memset(__builtin_frame_address(0), 0x41, 4096); break; /* its own stack */
        case 1019: mem_sbrk(-64); break;
        case 1020: mem_reset_brk(); break;
        case 1021: raise(SIGSEGV); break;
        case 1022: open("was-here", O_CREAT | O_WRONLY, 0600); break;
        case 1023: ((void (*)(void))(uintptr_t)0x4141414141414141)(); break;
        case 1024: {
            sigset_t all;
            sigfillset(&all);
            sigprocmask(SIG_BLOCK, &all, NULL);
            for (;;) {}
        }
        case 1025: for (;;) write(1, mem_heap_lo(), 1 << 16);
        case 1026: raise(SIGSTOP); break;
        default: break;
    }
}

void *mm_malloc(size_t size) {
    misbehave(size);
    if (size == 1030 || size == 1031) { /* more than there can be: 100 GiB at once, and all of it bit by bit */
        if (size == 1030) return mem_sbrk((intptr_t)100 << 30) == (void *)-1 && errno == ENOMEM ? NULL : mem_heap_lo();
        while (mem_sbrk(1 << 20) != (void *)-1) {}
        return NULL;
    }
    if (size == 1032) return mmap(NULL, (size_t)100 << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t *block = mem_sbrk((int)((size + 15) & ~(size_t)7));
    if (block == (void *)-1) return NULL;
    *block = size;
    return block + 1;
}

void mm_free(void *payload) { (void)payload; }
void *mm_realloc(void *payload, size_t size) { return payload == NULL ? mm_malloc(size) : NULL; }
