// Every message that the sources of core/scenario can give stands in a golden file, or in a test that looks for it.
#include <algorithm>
#include <string_view>

#include "scenario/scenario_support.hpp"

using namespace residue::scenario;

namespace {

struct Message {
    std::string place;  // file:line
    std::string text;   // as in the source, with its holes
};

// What no test can bring about, and why.
constexpr std::string_view kOutOfReach[] = {
    "this is no type",                                  // the resolver lets none through
    "this cannot be called",                            // likewise
    "no field can be {}",                               // likewise: every type that can be written has a size
    "this failed with {}, and nobody takes the error",  // likewise: `try` is refused where nobody does
    "this tuple is too large",                          // needs more memory than runs are given here
    "there is no room for more strings",                // likewise
    "there is no room for a variable of {} bytes",      // likewise
    "out of memory",                                    // of the machine
    "there is no room for the interpreter's thread",    // of the machine
    "it cannot be read",                                // a disk that fails
};

bool IsNamePart(char c) {
    return c == '_' || c == ':' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::size_t LineOf(std::string_view source, std::size_t at) {
    return 1 +
           static_cast<std::size_t>(std::count(source.begin(), source.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

// The first text between quotes, in the call whose arguments begin at `at`, that is more than a word.
std::string FirstSentence(std::string_view source, std::size_t at) {
    std::string text;
    bool quoted = false;
    for (std::size_t open = 1; at < source.size() && open > 0; ++at) {
        const char c = source[at];
        if (c == '"' && quoted && text.find(' ') != std::string::npos) return text;
        if (c == '"') {
            quoted = !quoted;
            text.clear();
        } else if (quoted) {
            if (c == '\\') ++at;
            text += source[at];
        } else {
            open += c == '(' ? 1u : 0u;
            open -= c == ')' ? 1u : 0u;
        }
    }
    return "";
}

std::vector<Message> MessagesOf(const std::filesystem::path& file) {
    constexpr std::string_view kTellers[] = {"Stop",  "StopAlso",   "End",    "SetEnd",      "Warn", "messages_.Error",
                                             "Error", "Unexpected", "Answer", "CheckNumber", "Fail", "Failed"};
    const std::string source = support::ReadFile(file);
    std::vector<Message> messages;
    for (std::size_t at = source.find('('); at != std::string::npos; at = source.find('(', at + 1)) {
        std::size_t begin = at;
        while (begin > 0 && IsNamePart(source[begin - 1])) --begin;
        const std::string_view name = std::string_view(source).substr(begin, at - begin);
        if (std::find(std::begin(kTellers), std::end(kTellers), name) == std::end(kTellers)) continue;
        const std::string text = FirstSentence(source, at + 1);
        if (text.empty()) continue;
        messages.push_back({file.filename().string() + ":" + std::to_string(LineOf(source, at)), text});
    }
    return messages;
}

// What stands around a message's holes, in order.
std::vector<std::string> PiecesOf(const std::string& message) {
    std::vector<std::string> pieces(1);
    for (std::size_t i = 0; i < message.size(); ++i) {
        const bool doubled = i + 1 < message.size() && message[i + 1] == message[i];
        if ((message[i] == '{' || message[i] == '}') && doubled) {
            pieces.back() += message[i++];
        } else if (message[i] == '{') {
            i = message.find('}', i);
            pieces.emplace_back();
        } else {
            pieces.back() += message[i];
        }
    }
    return pieces;
}

bool IsIn(std::string_view line, const std::vector<std::string>& pieces) {
    for (const std::string& piece : pieces) {
        const std::size_t at = line.find(piece);
        if (at == std::string_view::npos) return false;
        line.remove_prefix(at + piece.size());
    }
    return true;
}

void AppendLines(const std::filesystem::path& folder, const char* ending, std::vector<std::string>& lines) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ending || entry.path().filename() == "messages_test.cpp") continue;
        const std::string text = support::ReadFile(entry.path());
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = std::min(text.find('\n', at), text.size());
            lines.push_back(text.substr(at, end - at));
            at = end + 1;
        }
    }
}

}  // namespace

TEST_CASE("Every message that the language can give is in a test", "[scenario]") {
    const std::filesystem::path root = RESIDUE_SOURCE_DIR;
    std::vector<std::string> lines;
    AppendLines(root / "tests/scenario/golden", ".txt", lines);
    AppendLines(root / "tests/scenario", ".cpp", lines);
    std::size_t known = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "core/scenario")) {
        if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
        if (entry.path().filename() == "library.cpp") continue;  // a table of names and uses
        for (const Message& message : MessagesOf(entry.path())) {
            if (std::find(std::begin(kOutOfReach), std::end(kOutOfReach), message.text) != std::end(kOutOfReach))
                continue;
            const std::vector<std::string> pieces = PiecesOf(message.text);
            ++known;
            INFO(message.place << ": " << message.text);
            CHECK(std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return IsIn(line, pieces); }));
        }
    }
    CHECK(known > 200);  // the sources were read as they are written
}
