// The passes of one trace over the student's functions, as mdriver has them. Ends the process at the first finding.
#pragma once

#include "lab/host/heap.hpp"
#include "lab/layout.hpp"

namespace residue::lab::host {

struct Student {
    int (*init)();  // of Api::MmBool: gives a bool
    bool (*initBool)();
    void* (*malloc)(unsigned long);
    void (*free)(void*);
    void* (*realloc)(void*, unsigned long);
    void (*check)(int);  // null: there is none
    bool (*checkBool)(int);
};

struct Work {
    const Order* order;
    const Op* ops;
    Report* report;
    Record* records;  // of each recorded pass, one an operation
    Heap* heap;
    Student student;
    // By slot.
    void** blocks;
    unsigned long* sizes;
    std::uint64_t* seeds;  // what the payload was filled from; 0: not filled
};

void RunPasses(Work& work);

}  // namespace residue::lab::host
