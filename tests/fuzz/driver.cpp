// Runs a fuzz target without libFuzzer, under any compiler and sanitizer:
//   fuzz_NAME_driver [--seconds S] [--from N]   the seeds, then mutations N, N + 1, ... of them for S seconds (default
//   3) fuzz_NAME_driver FILE...                    these inputs (a corpus, a finding) fuzz_NAME_driver --write-seeds
//   FOLDER       the seeds as files, for libFuzzer to start from
// Mutation N is the same in every run; where the target dies, its N is on the error stream.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"

extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

volatile std::uint64_t present = 0;

// Only calls that are allowed in a signal handler.
void TellPresent() {
    char text[64] = "fuzz driver: died in mutation ";
    std::size_t length = std::strlen(text);
    char digits[20];
    std::size_t count = 0;
    for (std::uint64_t rest = present; count == 0 || rest != 0; rest /= 10)
        digits[count++] = static_cast<char>('0' + rest % 10);
    while (count > 0) text[length++] = digits[--count];
    text[length++] = '\n';
    (void)!::write(STDERR_FILENO, text, length);
}

void OnSignal(int signal) {
    TellPresent();
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

void Run(const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

// What text formats break on: bytes, numbers at the edges, lines twice, cut, moved, and parts of other inputs.
std::string Mutated(const std::vector<std::string>& seeds, std::uint64_t number) {
    static constexpr const char* kPieces[] = {"0",
                                              "-1",
                                              "1",
                                              "4294967296",
                                              "9223372036854775808",
                                              "18446744073709551615",
                                              "18446744073709551616",
                                              "99999999999999999999999999",
                                              " ",
                                              "\n",
                                              "\r\n",
                                              "a ",
                                              "f ",
                                              "r ",
                                              "w ",
                                              "#",
                                              "\t",
                                              "x",
                                              "\xff",
                                              "+",
                                              "a 0 16\n"};
    constexpr std::size_t kPieceCount = sizeof kPieces / sizeof kPieces[0];
    std::mt19937_64 random(number);
    const auto below = [&](std::size_t end) { return end == 0 ? 0 : static_cast<std::size_t>(random() % end); };
    std::string input = seeds[below(seeds.size())];
    for (std::size_t change = 1 + below(8); change > 0; --change) {
        const std::size_t at = below(input.size() + 1);
        const std::size_t length = std::min(below(24), input.size() - at);
        switch (below(8)) {
            case 0: if (at < input.size()) input[at] = static_cast<char>(random()); break;
            case 1: if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8))); break;
            case 2: input.erase(at, length); break;
            case 3: input.insert(at, input.substr(below(input.size() + 1), below(40))); break;
            case 4: input.resize(at); break;
            case 5: {
                const std::string& other = seeds[below(seeds.size())];
                input.insert(at, other.substr(below(other.size() + 1), below(60)));
                break;
            }
            case 6: input.insert(at, 1 + below(300), static_cast<char>(random())); break;
            default: input.replace(at, length, kPieces[below(kPieceCount)]); break;
        }
    }
    return input;
}

int WriteSeeds(const std::vector<std::string>& seeds, const std::string& folder) {
    for (std::size_t seed = 0; seed < seeds.size(); ++seed) {
        std::ofstream file(folder + "/seed-" + std::to_string(seed), std::ios::binary);
        if (!(file << seeds[seed])) return 1;
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    std::vector<std::string> seeds;
    if (residue::fuzz::Seeds != nullptr) seeds = residue::fuzz::Seeds();
    seeds.emplace_back();
    double seconds = 3;
    std::uint64_t from = 1;
    std::vector<std::string> files;
    for (int index = 1; index < count; ++index) {
        const std::string argument = arguments[index];
        const bool takesValue = argument == "--seconds" || argument == "--from" || argument == "--write-seeds";
        if (takesValue && index + 1 == count) {
            std::fprintf(stderr, "fuzz driver: %s needs a value\n", argument.c_str());
            return 2;
        }
        if (argument == "--seconds") seconds = std::atof(arguments[++index]);
        else if (argument == "--from") from = std::strtoull(arguments[++index], nullptr, 10);
        else if (argument == "--write-seeds") return WriteSeeds(seeds, arguments[++index]);
        else files.push_back(argument);
    }
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, OnSignal);
    if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(TellPresent);

    for (const std::string& path : files) {
        std::ifstream file(path, std::ios::binary);
        if (!file) {
            std::fprintf(stderr, "fuzz driver: cannot read %s\n", path.c_str());
            return 2;
        }
        Run({std::istreambuf_iterator<char>(file), {}});
    }
    if (!files.empty()) return 0;
    for (const std::string& seed : seeds) Run(seed);
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    std::uint64_t runs = 0;
    for (; std::chrono::steady_clock::now() < end; ++runs) {
        present = from + runs;
        Run(Mutated(seeds, present));
    }
    std::printf("%llu mutations\n", static_cast<unsigned long long>(runs));
    return 0;
}
