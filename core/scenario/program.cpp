#include "scenario/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "scenario/detail/checker.hpp"
#include "scenario/detail/frame_codes.hpp"
#include "scenario/detail/library.hpp"
#include "scenario/detail/near_name.hpp"
#include "scenario/detail/parser.hpp"
#include "scenario/detail/resolver.hpp"

namespace residue::scenario {
namespace {

using detail::Import;
using detail::Location;
using detail::Messages;
using detail::ProgramData;
using detail::Reference;
using detail::ReferenceKind;

std::string WithoutFolder(const std::string& name) {
    return std::filesystem::path(name).stem().string();
}

std::string JoinedPath(const std::string& importing, const std::string& path) {
    return (std::filesystem::path(importing).parent_path() / path).lexically_normal().generic_string();
}

class ProgramReader {
public:
    ProgramReader(const Loader& loader)
        : loader_(loader), program_(std::make_unique<ProgramData>()), messages_(program_->files) {
        // Names point into the texts, and parsers hold on to their trees: neither may move.
        program_->files.reserve(kMostFiles);
        program_->trees.reserve(kMostFiles);
    }

    Parsed Read(std::string name, std::string text) {
        Parsed parsed;
        (void)ReadFile(std::move(name), std::move(text));
        if (!gaveUp_) detail::Resolver(*program_, messages_).Resolve();
        if (!messages_.HasErrors()) detail::Checker(*program_, messages_).Check();
        for (const SourceFile& file : program_->files) parsed.files.push_back(file.name);
        const bool broken = messages_.HasErrors();
        parsed.diagnostics = messages_.Take();
        if (broken) return parsed;
        program_->titled = !program_->title.empty();
        if (!program_->titled) program_->title = WithoutFolder(program_->files[0].name);
        parsed.program = std::make_shared<const Program>(std::move(program_));
        return parsed;
    }

private:
    std::uint32_t ReadFile(std::string name, std::string text) {
        const auto file = static_cast<std::uint32_t>(program_->files.size());
        const bool tooLarge = text.size() > kMostSourceBytes;
        const std::size_t bytes = text.size();
        if (tooLarge) text.clear();
        program_->files.push_back({std::move(name), std::move(text)});
        program_->trees.emplace_back();
        reading_.push_back(file);
        if (tooLarge) {
            messages_.Error({file, 0, 0, 0}, fmt::format("the file has {} bytes", bytes),
                            fmt::format("at most {}", kMostSourceBytes));
        } else {
            const std::string_view source = program_->files[file].text;
            const detail::Lexed lexed = detail::Lex(source, file, messages_);
            detail::Parser parser(*program_, file, lexed, messages_);
            parser.ParseFile();
            gaveUp_ |= parser.GaveUp();
            if (messages_.HasErrors()) CollectDoubtful(lexed);
            for (const Import& import : program_->trees[file].imports) ReadImport(file, import);
        }
        reading_.pop_back();
        program_->order.push_back(file);
        return file;
    }

    // What broken lines would have declared is not unknown, as far as anybody can say.
    void CollectDoubtful(const detail::Lexed& lexed) {
        for (std::size_t i = 0; i + 1 < lexed.tokens.size(); ++i) {
            const detail::Token& next = lexed.tokens[i + 1];
            const bool declares = next.Is(":=") || next.Is("::") || next.Is(":") || next.Is("in") || next.Is("=>");
            if (lexed.tokens[i].kind == detail::TokenKind::Name && declares)
                program_->doubtful.insert(lexed.tokens[i].text);
        }
    }

    void ReadImport(std::uint32_t file, const Import& import) {
        Reference reference;
        if (import.path.starts_with("std.")) {
            const auto* module = detail::FindModule(import.path);
            if (module == nullptr) {
                detail::NearName near(import.path);
                for (const char* known : {"std.Memory", "std.Types", "std.IO", "std.Runtime", "std.OS"})
                    near.Offer(known);
                messages_.Error(import.pathAt, fmt::format("there is no module `{}`", detail::Shown(import.path)),
                                "std.Memory, std.Types, std.IO, std.Runtime or std.OS", near.Hint());
                return;
            }
            reference = {ReferenceKind::Module, static_cast<std::uint32_t>(*module)};
        } else {
            const auto found = FindOrRead(file, import);
            if (!found) return;
            reference = {ReferenceKind::File, *found};
        }
        const bool isNew = program_->trees[file].names.try_emplace(import.name, reference).second;
        if (isNew) return;
        messages_.Error(import.at, fmt::format("`{}` is declared twice in this file", detail::Shown(import.name)),
                        "another name");
    }

    std::optional<std::uint32_t> FindOrRead(std::uint32_t file, const Import& import) {
        const std::string path = JoinedPath(program_->files[file].name, import.path);
        for (std::uint32_t known = 0; known < program_->files.size(); ++known) {
            if (std::filesystem::path(program_->files[known].name).lexically_normal().generic_string() != path)
                continue;
            if (std::find(reading_.begin(), reading_.end(), known) == reading_.end()) return known;
            std::string circle;
            for (const std::uint32_t each : reading_) {
                if (each >= known) circle += program_->files[each].name + " → ";
            }
            messages_.Error(import.pathAt,
                            known == file ? std::string("this file imports itself")
                                          : fmt::format("files import each other in a circle: {}{}", circle, path),
                            "an import that leads to another file");
            return std::nullopt;
        }
        if (program_->files.size() == kMostFiles) {
            messages_.Error(import.pathAt, "one file too many is imported",
                            fmt::format("at most {} in all", kMostFiles));
            return std::nullopt;
        }
        if (!loader_) {
            messages_.Error(import.pathAt, fmt::format("`{}` cannot be imported here", detail::Shown(path)),
                            "a module of the standard library, as in std.Memory");
            return std::nullopt;
        }
        Outcome<std::string> text = loader_(path);
        if (!text) {
            messages_.Error(import.pathAt,
                            fmt::format("`{}` cannot be imported: {}", detail::Shown(path), text.error().what),
                            text.error().expected);
            return std::nullopt;
        }
        return ReadFile(path, std::move(*text));
    }

    const Loader& loader_;
    std::unique_ptr<ProgramData> program_;
    Messages messages_;
    std::vector<std::uint32_t> reading_;
    bool gaveUp_ = false;
};

class ProgramFrames final : public symbols::Symbolizer {
public:
    explicit ProgramFrames(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

    symbols::Frame Resolve(std::uint64_t address) override {
        const CallFrame frame = detail::FrameOf(program_->Data(), address);
        return {frame.procedure, frame.file, frame.line};
    }

private:
    std::shared_ptr<const Program> program_;
};

}  // namespace

Program::Program(std::unique_ptr<const detail::ProgramData> data) : data_(std::move(data)) {}
Program::~Program() = default;
bool Program::HasTitle() const {
    return data_->titled;
}
const std::string& Program::Title() const {
    return data_->title;
}
const std::string& Program::Introduction() const {
    return data_->introduction;
}
const std::vector<SourceFile>& Program::Files() const {
    return data_->files;
}
const std::vector<Narration>& Program::Narrations() const {
    return data_->narrations;
}
const std::vector<Place>& Program::Predicts() const {
    return data_->predicts;
}
const std::vector<Place>& Program::Breaks() const {
    return data_->breaks;
}
const std::vector<Expectation>& Program::Expectations() const {
    return data_->expectations;
}
const std::vector<std::uint32_t>& Program::StatementLines(std::size_t file) const {
    static const std::vector<std::uint32_t> kNone;
    return file < data_->trees.size() ? data_->trees[file].statementLines : kNone;
}

Parsed Parse(std::string name, std::string text, const Loader& loader) {
    return ProgramReader(loader).Read(std::move(name), std::move(text));
}

Outcome<std::string> LoadFromDisk(const std::string& path) {
    errno = 0;
    if (std::filesystem::is_directory(path)) return Fail(Failure{path, "this is a folder", "a file"});
    std::ifstream file(path, std::ios::binary);
    std::string text(kMostSourceBytes + 1, '\0');
    if (!file) return Fail(Failure{path, std::strerror(errno == 0 ? EIO : errno), "a file that can be read"});
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return Fail(Failure{path, "it cannot be read", "a file that can be read"});
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMostSourceBytes) {
        return Fail(Failure{path, "the file is too large", fmt::format("at most {} bytes", kMostSourceBytes)});
    }
    return text;
}

Parsed ParseFile(const std::string& path) {
    Outcome<std::string> text = LoadFromDisk(path);
    if (text) return Parse(path, std::move(*text), LoadFromDisk);
    Parsed parsed;
    parsed.files.push_back(path);
    Diagnostic unreadable;
    unreadable.place.file = path;
    unreadable.message = text.error().what;
    unreadable.expected = text.error().expected;
    parsed.diagnostics.push_back(std::move(unreadable));
    return parsed;
}

std::shared_ptr<symbols::Symbolizer> FrameNames(std::shared_ptr<const Program> program) {
    return std::make_shared<ProgramFrames>(std::move(program));
}

}  // namespace residue::scenario
