// Stacks of all shapes, as functions that call a probe at their bottom. Each shapes_oN.cpp compiles them with its own
// flags (tests/CMakeLists.txt), so that the same source gives frames of many forms.
#pragma once

#include <span>

namespace residue::capture::testing {

struct Probe {
    void (*call)(void* data) = nullptr;
    void* data = nullptr;
    void operator()() const { call(data); }
};

struct Shape {
    const char* name = "";
    void (*run)(const Probe& probe) = nullptr;
};

std::span<const Shape> ShapesO0();
std::span<const Shape> ShapesO1();
std::span<const Shape> ShapesO2();
std::span<const Shape> ShapesO3();

}  // namespace residue::capture::testing
