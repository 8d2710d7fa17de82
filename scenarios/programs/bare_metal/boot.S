# From where a loader leaves an x86 machine to C++: 32-bit protected mode without paging, by the PVH note at the end
# (`qemu-system-x86_64 -kernel`, and Xen), to long mode with SSE and the first GiB mapped where it is.
        .code32
        .section .text.boot, "ax"
        .globl Boot
Boot:
        cli
        cld
        mov     $stackTop, %esp

        # The tables: 512 pages of 2 MiB. .bss is zero, the loader's work.
        mov     $(level3 + 3), %eax             # present, writable
        mov     %eax, level4
        mov     $(level2 + 3), %eax
        mov     %eax, level3
        xor     %ecx, %ecx
        mov     $0x83, %eax                     # present, writable, large
1:      mov     %eax, level2(, %ecx, 8)
        add     $0x200000, %eax
        inc     %ecx
        cmp     $512, %ecx
        jne     1b

        mov     %cr4, %eax
        or      $(1 << 5 | 1 << 9 | 1 << 10), %eax      # PAE; SSE and its exceptions
        mov     %eax, %cr4
        mov     $level4, %eax
        mov     %eax, %cr3
        mov     $0xC0000080, %ecx               # EFER
        rdmsr
        or      $(1 << 8), %eax                 # long mode
        wrmsr
        mov     %cr0, %eax
        and     $~(1 << 2), %eax                # no emulation of the FPU
        or      $(1 << 31 | 1 << 1), %eax       # paging; FPU monitored
        mov     %eax, %cr0
        lgdt    gdtPointer
        ljmp    $8, $2f

        .code64
2:      mov     $16, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
        mov     $stackTop, %esp                 # the upper half is zero
        xor     %ebp, %ebp                      # the outermost frame
        call    Kernel
3:      hlt
        jmp     3b

        .section .rodata.boot, "a"
        .balign 8
gdt:    .quad   0
        .quad   0x00AF9A000000FFFF              # code, 64 bits
        .quad   0x00CF92000000FFFF              # data
gdtPointer:
        .word   gdtPointer - gdt - 1
        .long   gdt

        .section .bss.boot, "aw", @nobits
        .balign 4096
level4: .skip   4096
level3: .skip   4096
level2: .skip   4096
        .globl  stackBottom, stackTop
stackBottom:
        .skip   32768
stackTop:

        # Where a PVH loader enters: note 18 of "Xen", XEN_ELFNOTE_PHYS32_ENTRY.
        .section .note.pvh, "a", @note
        .balign 4
        .long   4, 8, 18
        .asciz  "Xen"
        .quad   Boot

        .section .note.GNU-stack, "", @progbits
