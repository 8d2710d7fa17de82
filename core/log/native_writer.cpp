#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <unordered_set>
#include <utility>

#include "log/columns.hpp"
#include "log/native_file.hpp"
#include "log/native_format.hpp"

namespace residue::log {
namespace {

constexpr int kLevel = 3;
constexpr std::size_t kMaxTextBytes = 32u << 20;   // of the rows of one chunk
constexpr std::size_t kMaxSourceText = 64u << 10;  // of a source's name
constexpr std::uint32_t kTraceBatch = 65536;
constexpr std::uint32_t kMaxDeaths = 4u << 20;      // blocks in a chunk
constexpr std::size_t kNameBatch = 1u << 20;       // bytes

}  // namespace

struct NativeStream::State {
    explicit State(NativeOutput& to) : output(to) {}

    NativeOutput& output;
    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> zstd{ZSTD_createCCtx(), &ZSTD_freeCCtx};
    bool started = false;
    std::uint64_t rows = 0;
    std::uint32_t traces = 0;
    std::vector<LoggedEvent> events;
    std::vector<std::uint64_t> differences;  // of a column
    std::vector<std::byte> plane;
    std::vector<std::byte> packed;

    Outcome<void> Chunk(std::uint32_t tag, std::span<const std::byte> raw);
    Outcome<void> Start(const LogView& log);
    Outcome<void> Source(const LogView& log);
    Outcome<void> Traces(const LogView& log);
    Outcome<void> Names(const LogView& log);
    Outcome<void> Events(const LogView& log);
    Outcome<void> Deaths(const LogView& log);
    std::uint8_t WriteDifferences(const Columns& columns, ColumnId id, std::uint64_t min, native::Writer& to);
};

Outcome<void> NativeStream::State::Chunk(std::uint32_t tag, std::span<const std::byte> raw) {
    native::ChunkHeader header;
    header.tag = tag;
    header.raw = raw.size();
    std::span<const std::byte> stored = raw;
    packed.resize(ZSTD_compressBound(raw.size()));
    const std::size_t size =
        zstd ? ZSTD_compressCCtx(zstd.get(), packed.data(), packed.size(), raw.data(), raw.size(), kLevel) : raw.size();
    if (zstd && ZSTD_isError(size) == 0 && size < raw.size()) {
        stored = std::span(packed).first(size);
        header.codec = static_cast<std::uint8_t>(native::Codec::Zstd);
    }
    header.length = stored.size();
    header.payloadChecksum = Crc32c(stored);
    native::Writer bytes;  // header and payload in one write, so that few files end between the two
    native::WriteChunkHeader(bytes, header);
    bytes.Bytes(stored);
    return output.Write(bytes.Written());
}

Outcome<void> NativeStream::State::Source(const LogView& log) {
    const SourceInfo& source = log.Source();
    native::Writer raw;
    raw.Number(static_cast<std::uint8_t>(source.clock));
    raw.Number(std::uint8_t{source.layoutSimulated});
    raw.Number(std::bit_cast<std::uint64_t>(source.ticksPerSecond));
    raw.Text(std::string_view(source.name).substr(0, kMaxSourceText));
    raw.Text(std::string_view(source.provenance).substr(0, kMaxSourceText));
    raw.Number(source.payloadsOnly.value);
    return Chunk(native::kSource, raw.Written());
}

Outcome<void> NativeStream::State::Start(const LogView& log) {
    if (std::exchange(started, true)) return {};
    native::Writer header;
    native::WriteFileHeader(header);
    if (auto written = output.Write(header.Written()); !written) return written;
    return Source(log);
}

Outcome<void> NativeStream::State::Traces(const LogView& log) {
    for (const std::uint32_t count = log.Traces(); traces < count;) {
        const std::uint32_t batch = std::min(kTraceBatch, count - traces);
        native::Writer raw;
        raw.Number(traces + 1);
        raw.Number(batch);
        for (std::uint32_t i = 1; i <= batch; ++i) raw.Number(log.ParentTrace(TraceId{traces + i}).value);
        for (std::uint32_t i = 1; i <= batch; ++i) raw.Number(log.FrameAddress(TraceId{traces + i}));
        if (auto written = Chunk(native::kTraces, raw.Written()); !written) return written;
        traces += batch;
    }
    return {};
}

namespace {

// Names of frames on their way into chunks of one kind.
struct NameEntries {
    std::uint32_t tag;
    native::Writer entries;
    std::uint32_t count = 0;
};

void AddText(native::Writer& to, std::string_view text) { to.Text(text.substr(0, kMaxSourceText)); }

void AddName(NameEntries& to, std::uint64_t address, const Frame& frame) {
    to.entries.Number(address);
    to.entries.Number(frame.line);
    AddText(to.entries, frame.function);
    AddText(to.entries, frame.file);
    ++to.count;
    if (to.tag != native::kInlined) return;
    to.entries.Number(static_cast<std::uint32_t>(frame.inlined.size()));
    for (const symbols::InlinedCall& call : frame.inlined) {
        to.entries.Number(call.line);
        AddText(to.entries, call.function);
        AddText(to.entries, call.file);
    }
}

}  // namespace

Outcome<void> NativeStream::State::Names(const LogView& log) {
    std::unordered_set<std::uint64_t> named;
    NameEntries plain{native::kNames, {}}, inlined{native::kInlined, {}};
    const auto flush = [&](NameEntries& names) -> Outcome<void> {
        if (names.count == 0) return {};
        native::Writer raw;
        raw.Number(std::exchange(names.count, 0));
        raw.Bytes(names.entries.Written());
        names.entries.Clear();
        return Chunk(names.tag, raw.Written());
    };
    for (std::uint32_t id = 1; id <= traces; ++id) {
        const std::uint64_t address = log.FrameAddress(TraceId{id});
        if (!named.insert(address).second) continue;
        const Frame frame = log.TopFrame(TraceId{id});
        if (frame.file.empty() && frame.function.starts_with("0x")) continue;  // nothing is known
        NameEntries& to = frame.inlined.empty() ? plain : inlined;
        AddName(to, address, frame);
        if (to.entries.Written().size() < kNameBatch) continue;
        if (auto written = flush(to); !written) return written;
    }
    if (auto written = flush(plain); !written) return written;
    return flush(inlined);
}

// A column as differences, the first one to `min`. Returns its width as the file has it.
std::uint8_t NativeStream::State::WriteDifferences(const Columns& columns, ColumnId id, std::uint64_t min,
                                                   native::Writer& to) {
    differences.resize(columns.Rows());
    std::uint64_t before = min, all = 0;
    for (std::size_t row = 0; row < columns.Rows(); ++row) {
        const std::uint64_t value = columns.Get(id, row);
        const std::uint64_t difference = value - std::exchange(before, value);
        differences[row] = difference << 1 ^ (std::uint64_t{0} - (difference >> 63));
        all |= differences[row];
    }
    const int planes = (static_cast<int>(std::bit_width(all)) + 7) / 8;
    plane.resize(columns.Rows());
    for (int p = 0; p < planes; ++p) {
        for (std::size_t row = 0; row < plane.size(); ++row)
            plane[row] = static_cast<std::byte>(differences[row] >> 8 * p);
        to.Bytes(plane);
    }
    return static_cast<std::uint8_t>(planes == 0 ? 0 : native::kDifferences + planes);
}

// What ended together in the rows of `events`.
Outcome<void> NativeStream::State::Deaths(const LogView& log) {
    native::Writer lists, blocks;
    std::uint32_t count = 0, held = 0;
    const auto flush = [&]() -> Outcome<void> {
        if (count == 0) return {};
        native::Writer raw;
        raw.Number(rows);
        raw.Number(std::exchange(count, 0));
        raw.Bytes(lists.Written());
        raw.Bytes(blocks.Written());
        lists.Clear();
        blocks.Clear();
        held = 0;
        return Chunk(native::kDeaths, raw.Written());
    };
    for (std::uint32_t i = 0; i < events.size(); ++i) {
        auto died = log.DiedTogether(Row{rows + i});
        while (!died.empty()) {
            const auto some = died.first(std::min<std::size_t>(died.size(), kMaxDeaths - held));
            died = died.subspan(some.size());
            lists.Number(i);
            lists.Number(static_cast<std::uint32_t>(some.size()));
            for (const BlockId block : some) blocks.Number(block.value);
            ++count;
            held += static_cast<std::uint32_t>(some.size());
            if (held < kMaxDeaths) continue;
            if (auto written = flush(); !written) return written;
        }
    }
    return flush();
}

// One chunk of rows, and their texts before it.
Outcome<void> NativeStream::State::Events(const LogView& log) {
    const std::uint64_t most = std::min(kChunkRows, log.Rows().value - rows);
    native::Writer lengths;
    native::Writer characters;
    std::uint32_t texts = 0;
    events.clear();
    for (std::uint64_t i = 0; i < most; ++i) {
        const LoggedEvent row = log.At(Row{rows + i});
        if (row.event.Has(events::EventFlag::HasText)) {
            const std::string_view text = log.Text(Row{rows + i}).substr(0, kMaxTextBytes);
            if (texts > 0 && characters.Written().size() + text.size() > kMaxTextBytes) break;  // the next chunk's
            lengths.Number(static_cast<std::uint32_t>(i));
            lengths.Number(static_cast<std::uint32_t>(text.size()));
            characters.Characters(text);
            ++texts;
        }
        events.push_back(row);
    }
    native::Writer raw;
    if (texts > 0) {
        raw.Number(rows);
        raw.Number(texts);
        raw.Bytes(lengths.Written());
        raw.Bytes(characters.Written());
        if (auto written = Chunk(native::kTexts, raw.Written()); !written) return written;
        raw.Clear();
    }
    if (auto written = Deaths(log); !written) return written;
    // What mostly ascends as differences; the other columns as they are.
    const Columns columns = Columns::Pack(events, Widths::PowersOfTwo);
    raw.Number(rows);
    raw.Number(static_cast<std::uint32_t>(events.size()));
    raw.Number(static_cast<std::uint32_t>(kColumnCount));
    native::Writer values;
    std::size_t offset = 0;
    for (std::size_t c = 0; c < kColumnCount; ++c) {
        const ColumnShape shape = columns.Shape(c);
        const std::size_t bytes = shape.width * events.size();
        const auto id = static_cast<ColumnId>(c);
        raw.Number(shape.min);
        if (shape.width != 0 && (id == ColumnId::Stamp || id == ColumnId::Block)) {
            raw.Number(WriteDifferences(columns, id, shape.min, values));
        } else {
            raw.Number(shape.width);
            values.Bytes(columns.Bytes().subspan(offset, bytes));
        }
        offset += bytes;
    }
    raw.Bytes(values.Written());
    if (auto written = Chunk(native::kEvents, raw.Written()); !written) return written;
    rows += events.size();
    return {};
}

NativeStream::NativeStream(NativeOutput& output) : state_(std::make_unique<State>(output)) {}
NativeStream::~NativeStream() = default;

std::uint64_t NativeStream::RowsWritten() const { return state_->rows; }

Outcome<bool> NativeStream::Update(const LogView& log) {
    State& state = *state_;
    if (auto written = state.Start(log); !written) return Fail(written.error());
    if (auto written = state.Traces(log); !written) return Fail(written.error());
    if (state.rows < log.Rows().value) {
        if (auto written = state.Events(log); !written) return Fail(written.error());
    }
    return state.rows >= log.Rows().value;
}

Outcome<void> NativeStream::Finish(const LogView& log) {
    for (bool done = false; !done;) {
        const Outcome<bool> updated = Update(log);
        if (!updated) return Fail(updated.error());
        done = *updated;
    }
    State& state = *state_;
    if (auto written = state.Names(log); !written) return written;
    if (auto written = state.Source(log); !written) return written;  // it may have changed since the start
    native::Writer raw;
    raw.Number(state.rows);
    raw.Number(state.traces);
    return state.Chunk(native::kEnd, raw.Written());
}

}  // namespace residue::log
