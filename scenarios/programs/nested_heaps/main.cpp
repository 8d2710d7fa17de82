// Records a game's memory, heaps within heaps, into a native file: nested_heaps [game.residue]
#include <cstdio>

#include "levels.hpp"
#include "log/recorder.hpp"

int main(int argc, char** argv) {
    const char* const path = argc > 1 ? argv[1] : "game.residue";
    residue::log::Recorder recorder(path);
    residue::scenarios::PlayLevel(recorder.Sink(), 24);
    const auto saved = recorder.Save();
    if (!saved) std::fprintf(stderr, "%s\n", saved.error().Text().c_str());
    return saved ? 0 : 1;
}
