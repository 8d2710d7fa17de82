#include "export/trace_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "export/atomic_file.hpp"
#include "export/operations.hpp"

namespace residue::exports {
namespace {

using Visiting = std::function<Outcome<std::uint64_t>(const VisitOperation&)>;

bool CanSay(TextFormat format, const OutOperation& operation) {
    return format == TextFormat::Rep || operation.id >= 0;  // free(NULL) has no form in a .script
}

Outcome<void> WriteText(const Visiting& visit, const std::string& path, TextFormat format, WriteSummary* summary) {
    WriteSummary counted;
    std::uint64_t unsayable = 0;
    const Outcome<std::uint64_t> leftOut = visit([&](const OutOperation& operation) {
        if (!CanSay(format, operation)) {
            ++unsayable;
            return;
        }
        ++counted.operations;
        if (operation.id >= 0) counted.ids = std::max(counted.ids, static_cast<std::uint64_t>(operation.id) + 1);
    });
    if (!leftOut) return Fail(leftOut.error());
    counted.leftOut = *leftOut + unsayable;

    Outcome<AtomicFile> file = AtomicFile::Create(path);
    if (!file) return Fail(file.error());
    constexpr int kWeight = 1;
    constexpr int kIgnoreRanges = 0;
    if (format == TextFormat::Rep) {
        file->Write(fmt::format("{}\n{}\n{}\n{}\n", kWeight, counted.ids, counted.operations, kIgnoreRanges));
    }
    std::uint64_t written = 0;
    const Outcome<std::uint64_t> again = visit([&](const OutOperation& operation) {
        if (!CanSay(format, operation)) return;
        ++written;
        fmt::memory_buffer line;
        if (operation.letter == 'f') {
            fmt::format_to(std::back_inserter(line), "f {}\n", operation.id);
        } else {
            fmt::format_to(std::back_inserter(line), "{} {} {}\n", operation.letter, operation.id, operation.size);
        }
        file->Write({line.data(), line.size()});
    });
    if (!again) return Fail(again.error());
    if (written != counted.operations) {
        return Fail(Failure{path, "the source changed while it was written", "the same operations twice"});
    }
    const Outcome<void> done = file->Commit();
    if (done && summary != nullptr) *summary = counted;
    return done;
}

Outcome<void> WriteLog(const log::LogView& log, const std::string& path, TextFormat format, bool balanced,
                       const WriteExtras& extras) {
    const StreamOptions options{balanced, extras.cancelled};
    return WriteText([&](const VisitOperation& visit) { return VisitLog(log, options, visit); }, path, format,
                     extras.summary);
}

}  // namespace

Outcome<void> WriteRep(const log::LogView& log, const std::string& path, bool balanced, const WriteExtras& extras) {
    return WriteLog(log, path, TextFormat::Rep, balanced, extras);
}

Outcome<void> WriteScript(const log::LogView& log, const std::string& path, bool balanced, const WriteExtras& extras) {
    return WriteLog(log, path, TextFormat::Script, balanced, extras);
}

Outcome<void> ConvertTrace(const std::string& from, const std::string& to, TextFormat format, bool balanced,
                           const WriteExtras& extras) {
    const StreamOptions options{balanced, extras.cancelled};
    return WriteText([&](const VisitOperation& visit) { return VisitTrace(from, options, visit); }, to, format,
                     extras.summary);
}

}  // namespace residue::exports
