// A kernel that does nothing but allocate, on Residue's allocators, with nothing below it: it says what it does over
// the serial port, and its own words go the same way.
#include <cstddef>
#include <cstdint>

#include "events/stream_sink.hpp"
#include "workload.hpp"

// What a compiler may call without being asked.
extern "C" {
void* memcpy(void* to, const void* from, std::size_t count) {
    void* const start = to;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
    return start;
}
void* memmove(void* to, const void* from, std::size_t count) {
    if (to <= from) return memcpy(to, from, count);
    void* last = static_cast<char*>(to) + count - 1;
    const void* lastFrom = static_cast<const char*>(from) + count - 1;
    asm volatile("std\n rep movsb\n cld" : "+D"(last), "+S"(lastFrom), "+c"(count)::"memory");
    return to;
}
void* memset(void* to, int value, std::size_t count) {
    void* const start = to;
    asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
    return start;
}
int memcmp(const void* a, const void* b, std::size_t count) {
    const auto* const left = static_cast<const unsigned char*>(a);
    const auto* const right = static_cast<const unsigned char*>(b);
    for (std::size_t i = 0; i < count; ++i) {
        if (left[i] != right[i]) return left[i] - right[i];
        asm volatile("" ::: "memory");  // else the compiler sees a memcmp in it, and calls it
    }
    return 0;
}
[[noreturn]] void __cxa_pure_virtual() {
    for (;;) asm volatile("cli\n hlt");
}
extern char stackBottom[], stackTop[];  // boot.S
}

namespace {

using namespace residue;

void Out(std::uint16_t port, std::uint8_t value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }

std::uint8_t In(std::uint16_t port) {
    std::uint8_t value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

// The 16550 at COM1: 115,200 baud, 8 bits, no parity, one stop bit, queues on, no interrupts.
constexpr std::uint16_t kSerial = 0x3F8;

void OpenSerialPort() {
    Out(kSerial + 1, 0);
    Out(kSerial + 3, 0x80);
    Out(kSerial + 0, 1);
    Out(kSerial + 1, 0);
    Out(kSerial + 3, 3);
    Out(kSerial + 2, 7);
    Out(kSerial + 4, 3);
}

// All that the stream needs of a kernel.
void ToSerialPort(void*, const void* bytes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        while ((In(kSerial + 5) & 0x20) == 0) {
        }
        Out(kSerial, static_cast<const std::uint8_t*>(bytes)[i]);
    }
}

void Print(const char* text) {
    std::size_t length = 0;
    while (text[length] != '\0') ++length;
    ToSerialPort(nullptr, text, length);
}

// The emulator ends with 2 * code + 1 (-device isa-debug-exit,iobase=0xf4,iosize=0x04). Elsewhere nothing happens.
void EndEmulator(std::uint8_t code) { Out(0xF4, code); }

alignas(16) std::byte heap[bare_metal::kHeapBytes];
alignas(16) std::byte table[bare_metal::kTableBytes];

}  // namespace

extern "C" void Kernel() {
    OpenSerialPort();
    Print("No operating system here: a kernel on Residue's allocators.\r\n");
    const auto bottom = reinterpret_cast<std::uintptr_t>(stackBottom);
    const auto top = reinterpret_cast<std::uintptr_t>(stackTop);
    events::StreamSink sink({.write = ToSerialPort,
                             .name = "bare metal",
                             .traceDepth = events::kMaxStreamFrames,
                             .stack = {.low = bottom, .high = top}});
    const bool fine = bare_metal::RunWorkload(sink, heap, table);
    Print(fine ? "All is well; the machine stops.\r\n" : "An allocator did not do what it must.\r\n");
    sink.End();
    EndEmulator(fine ? 0x10 : 0x11);
}
