#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "log/appender.hpp"
#include "log/columns.hpp"
#include "log/native_file.hpp"
#include "log/native_format.hpp"
#include "log/row_check.hpp"

namespace residue::log {
namespace {

// A log takes some 10 to 100 times its file's size, and more where events repeat; a file made to fill memory is told
// by a share that no recording has.
constexpr std::uint64_t kMemoryFree = 64u << 20;
constexpr std::uint64_t kMemoryPerByte = 1024;

// Where bytes come from. Not a map: a file that is cut while it is read must end in an error, not in a signal.
class Bytes {
public:
    virtual ~Bytes() = default;
    virtual std::uint64_t Size() const = 0;
    // bytes [offset, offset + count), good until the next call; none where they cannot be read (any more).
    virtual std::optional<std::span<const std::byte>> Read(std::uint64_t offset, std::size_t count) = 0;
};

class MemoryBytes final : public Bytes {
public:
    explicit MemoryBytes(std::span<const std::byte> bytes) : bytes_(bytes) {}
    std::uint64_t Size() const override { return bytes_.size(); }
    std::optional<std::span<const std::byte>> Read(std::uint64_t offset, std::size_t count) override {
        if (offset > bytes_.size() || count > bytes_.size() - offset) return std::nullopt;
        return bytes_.subspan(static_cast<std::size_t>(offset), count);
    }

private:
    std::span<const std::byte> bytes_;
};

class FileBytes final : public Bytes {
public:
    explicit FileBytes(int file) : file_(file) {}
    ~FileBytes() override { ::close(file_); }
    FileBytes(const FileBytes&) = delete;
    FileBytes& operator=(const FileBytes&) = delete;
    void SetSize(std::uint64_t size) { size_ = size; }
    std::uint64_t Size() const override { return size_; }
    std::optional<std::span<const std::byte>> Read(std::uint64_t offset, std::size_t count) override {
        if (buffer_.size() < count) buffer_.resize(count);
        for (std::size_t done = 0; done < count;) {
            const ssize_t got = ::pread(file_, buffer_.data() + done, count - done, static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return std::nullopt;
            done += static_cast<std::size_t>(got);
        }
        return std::span<const std::byte>(buffer_.data(), count);
    }

private:
    int file_;
    std::uint64_t size_ = 0;
    std::vector<std::byte> buffer_;
};

class NativeReader {
public:
    NativeReader(std::string name, Bytes& bytes, EventLog& into)
        : name_(std::move(name)), bytes_(bytes), log_(into), appender_(into) {}

    Outcome<NativeSummary> Read(const std::atomic<bool>* cancelled, std::atomic<double>* progress);

private:
    std::string Where(std::uint64_t offset) const { return fmt::format("{}: byte {}", name_, offset); }
    Failure Bad(std::string what, std::string expected = "") const {
        return {Where(offset_), std::move(what), std::move(expected)};
    }
    void Warn(std::uint64_t offset, std::string text) { summary_.warnings.push_back({Where(offset), std::move(text)}); }

    Outcome<void> ReadHeader();
    bool FindChunk(native::ChunkHeader& header, std::span<const std::byte>& stored);  // false: no whole one follows
    Outcome<std::span<const std::byte>> Decode(const native::ChunkHeader& header, std::span<const std::byte> stored);
    Outcome<void> Take(std::uint32_t tag, std::span<const std::byte> raw);
    Outcome<void> Source(native::Reader raw);
    Outcome<void> Traces(native::Reader raw);
    Outcome<void> Names(native::Reader raw, bool withInlined);
    Outcome<void> Texts(native::Reader raw);
    Outcome<void> Events(native::Reader raw);
    void AddBytes(std::span<const std::byte> bytes) {
        columnBytes_.insert(columnBytes_.end(), bytes.begin(), bytes.end());
    }
    void AddDifferences(native::Reader& raw, std::uint32_t rows, ColumnShape& shape);
    Outcome<void> Deaths(native::Reader raw);
    Outcome<void> Believe(LoggedEvent row, std::uint32_t number, std::string_view text);
    Outcome<void> End(native::Reader raw);

    struct RowText {
        std::uint32_t row;
        std::string_view text;
    };

    std::string name_;
    Bytes& bytes_;
    EventLog& log_;
    Appender appender_;
    NativeSummary summary_;
    std::uint64_t offset_ = 0;  // of the chunk being read
    std::uint32_t traces_ = 0;
    std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> zstd_{ZSTD_createDCtx(), &ZSTD_freeDCtx};
    std::vector<std::byte> decoded_;
    std::vector<std::byte> columnBytes_;
    struct RowDeaths {
        std::uint32_t row;
        std::uint32_t blocks;
    };
    std::optional<bool> withBlocks_;  // do the chunks of events say which blocks rows concern?
    RowCheck check_;
    std::uint64_t blocks_ = 0;
    std::vector<RowDeaths> deaths_;   // of the DIED chunks that wait for their events
    std::vector<BlockId> dead_;
    std::size_t nextDeath_ = 0, nextDead_ = 0;
    std::vector<std::byte> textBytes_;  // of the TEXT chunk that waits for its events
    std::vector<RowText> texts_;
    bool warnedTag_ = false;
};

Outcome<void> NativeReader::ReadHeader() {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes_.Size(), native::kFileHeaderBytes));
    const auto header = bytes_.Read(0, size);
    if (!header) return Fail(Bad("cannot be read"));
    if (!LooksNative(*header)) return Fail(Bad("not a native file", "the magic bytes of .residue"));
    if (size < native::kFileHeaderBytes) return Fail(Bad("ends within its header", "16 bytes"));
    native::Reader reader(header->subspan(native::kMagic.size()));
    summary_.version = reader.Number<std::uint32_t>();
    if (reader.Number<std::uint32_t>() != Crc32c(header->first(native::kFileHeaderBytes - 4))) {
        return Fail(Bad("the header is damaged", "a checksum that fits"));
    }
    if (summary_.version == 0 || summary_.version > native::kVersion) {
        return Fail(Bad(fmt::format("version {}", summary_.version), fmt::format("version 1 to {}", native::kVersion)));
    }
    return {};
}

bool NativeReader::FindChunk(native::ChunkHeader& header, std::span<const std::byte>& stored) {
    const std::uint64_t left = bytes_.Size() - offset_;
    if (left == 0) return false;
    const auto cut = [&] {
        Warn(offset_, fmt::format("cut off within a chunk; {} bytes are left out", left));
        return false;
    };
    if (left < native::kChunkHeaderBytes) return cut();
    const auto head = bytes_.Read(offset_, native::kChunkHeaderBytes);
    if (!head) return cut();
    if (!native::ReadChunkHeader(*head, header)) {
        Warn(offset_, fmt::format("the head of a chunk is damaged; {} bytes are left out", left));
        return false;
    }
    if (header.length > left - native::kChunkHeaderBytes) return cut();
    if (header.length > native::kMaxRaw) {  // a tag of a later version at most; its bytes are not looked at
        stored = {};
        return true;
    }
    const auto payload = bytes_.Read(offset_ + native::kChunkHeaderBytes, static_cast<std::size_t>(header.length));
    if (!payload) return cut();
    if (Crc32c(*payload) != header.payloadChecksum) {
        Warn(offset_, fmt::format("a chunk {} is damaged; {} bytes are left out", native::TagText(header.tag), left));
        return false;
    }
    stored = *payload;
    return true;
}

Outcome<std::span<const std::byte>> NativeReader::Decode(const native::ChunkHeader& header,
                                                         std::span<const std::byte> stored) {
    if (header.raw > native::kMaxRaw || header.length > native::kMaxRaw) {
        return Fail(Bad(fmt::format("a chunk {} of {} bytes", native::TagText(header.tag), header.raw),
                        fmt::format("at most {}", native::kMaxRaw)));
    }
    if (header.codec == static_cast<std::uint8_t>(native::Codec::None)) {
        if (header.raw != header.length) return Fail(Bad("a chunk as it is, of two lengths", "one length"));
        return stored;
    }
    if (header.codec != static_cast<std::uint8_t>(native::Codec::Zstd)) {
        return Fail(Bad(fmt::format("codec {}", header.codec), "0 or 1: the file may come from a later version"));
    }
    if (!zstd_) return Fail(Bad("no memory to decode it"));
    const auto raw = static_cast<std::size_t>(header.raw);
    if (decoded_.size() < raw) decoded_.resize(raw);
    const std::size_t size = ZSTD_decompressDCtx(zstd_.get(), decoded_.data(), raw, stored.data(), stored.size());
    if (ZSTD_isError(size) != 0) return Fail(Bad(fmt::format("zstd cannot decode it: {}", ZSTD_getErrorName(size))));
    if (size != raw) return Fail(Bad(fmt::format("{} bytes once decoded", size), fmt::format("{}", raw)));
    return std::span<const std::byte>(decoded_).first(raw);
}

Outcome<void> NativeReader::Source(native::Reader raw) {
    SourceInfo source;
    const auto clock = raw.Number<std::uint8_t>();
    source.layoutSimulated = raw.Number<std::uint8_t>() != 0;
    source.ticksPerSecond = std::bit_cast<double>(raw.Number<std::uint64_t>());
    source.name = raw.Text();
    source.provenance = raw.Text();
    if (raw.Left() > 0) source.payloadsOnly = AllocatorId{raw.Number<std::uint16_t>()};
    if (!raw.Ok()) return Fail(Bad("the source's description ends too early"));
    if (clock > static_cast<std::uint8_t>(Clock::Ticks)) return Fail(Bad(fmt::format("clock {}", clock), "0 or 1"));
    source.clock = static_cast<Clock>(clock);
    if (!(source.ticksPerSecond >= 0 && source.ticksPerSecond < 1e18)) source.ticksPerSecond = 0;
    log_.SetSource(std::move(source));
    return {};
}

Outcome<void> NativeReader::Traces(native::Reader raw) {
    const auto first = raw.Number<std::uint32_t>();
    const auto count = raw.Number<std::uint32_t>();
    if (first != traces_ + 1) return Fail(Bad(fmt::format("trace {}", first), fmt::format("trace {}", traces_ + 1)));
    native::Reader parents(raw.Bytes(std::uint64_t{count} * sizeof(std::uint32_t)));
    native::Reader frames(raw.Bytes(std::uint64_t{count} * sizeof(std::uint64_t)));
    if (!raw.Ok()) return Fail(Bad(fmt::format("ends before its {} traces", count)));
    for (std::uint32_t i = 0; i < count; ++i) {
        const TraceId parent{parents.Number<std::uint32_t>()};
        if (parent.value > traces_) {
            return Fail(Bad(fmt::format("trace {} has parent {}", traces_ + 1, parent.value), "one before it"));
        }
        log_.AddTrace(parent, frames.Number<std::uint64_t>());
        ++traces_;
    }
    return {};
}

Outcome<void> NativeReader::Names(native::Reader raw, bool withInlined) {
    const auto count = raw.Number<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && raw.Ok(); ++i) {
        const auto address = raw.Number<std::uint64_t>();
        Frame frame;
        frame.line = raw.Number<std::uint32_t>();
        frame.function = raw.Text();
        frame.file = raw.Text();
        const auto inlined = withInlined && raw.Ok() ? raw.Number<std::uint32_t>() : 0;
        for (std::uint32_t k = 0; k < inlined && raw.Ok(); ++k) {
            symbols::InlinedCall call;
            call.line = raw.Number<std::uint32_t>();
            call.function = raw.Text();
            call.file = raw.Text();
            frame.inlined.push_back(std::move(call));
        }
        if (raw.Ok()) log_.NameFrame(address, std::move(frame));
    }
    if (!raw.Ok()) return Fail(Bad(fmt::format("ends before its {} names", count)));
    return {};
}

Outcome<void> NativeReader::Texts(native::Reader raw) {
    const auto first = raw.Number<std::uint64_t>();
    const auto count = raw.Number<std::uint32_t>();
    if (first != summary_.rows)
        return Fail(Bad(fmt::format("texts of row {}", first), fmt::format("{}", summary_.rows)));
    if (count > kChunkRows) return Fail(Bad(fmt::format("{} texts", count), fmt::format("at most {}", kChunkRows)));
    native::Reader lengths(raw.Bytes(std::uint64_t{count} * 8));
    if (!raw.Ok()) return Fail(Bad(fmt::format("ends before its {} texts", count)));
    const std::string_view characters = raw.Characters(raw.Left());
    // The decoded bytes are needed for the events: the texts are kept apart.
    const auto bytes = std::as_bytes(std::span(characters.data(), characters.size()));
    textBytes_.assign(bytes.begin(), bytes.end());
    native::Reader kept(textBytes_);
    texts_.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto row = lengths.Number<std::uint32_t>();
        const auto length = lengths.Number<std::uint32_t>();
        if (!texts_.empty() && row <= texts_.back().row) return Fail(Bad("texts out of order", "rows ascending"));
        texts_.push_back({row, kept.Characters(length)});
    }
    if (!kept.Ok()) return Fail(Bad("texts end too early"));
    return {};
}

// A row with its blocks, as the log it was saved from had it.
Outcome<void> NativeReader::Believe(LoggedEvent row, std::uint32_t number, std::string_view text) {
    std::size_t count = 0;
    for (; nextDeath_ < deaths_.size() && deaths_[nextDeath_].row == number; ++nextDeath_) {
        count += deaths_[nextDeath_].blocks;
    }
    const auto died = std::span(dead_).subspan(nextDead_, count);
    nextDead_ += count;
    if (const std::string wrong = check_.Take(row, died); !wrong.empty()) {
        return Fail(Bad(fmt::format("row {} {}", summary_.rows + number, wrong)));
    }
    if (check_.Blocks() > blocks_) {
        log_.AddBlock();
        ++blocks_;
    }
    if (summary_.rows == 0 && number == 0) log_.SayMayOverlap();
    log_.Append(row, text, died);
    return {};
}

Outcome<void> NativeReader::Deaths(native::Reader raw) {
    const auto first = raw.Number<std::uint64_t>();
    const auto count = raw.Number<std::uint32_t>();
    if (first != summary_.rows) {
        return Fail(Bad(fmt::format("deaths of row {}", first), fmt::format("{}", summary_.rows)));
    }
    native::Reader lists(raw.Bytes(std::uint64_t{count} * 8));
    for (std::uint32_t i = 0; i < count && raw.Ok(); ++i) {
        const auto row = lists.Number<std::uint32_t>();
        const auto blocks = lists.Number<std::uint32_t>();
        if (row >= kChunkRows || (!deaths_.empty() && row < deaths_.back().row)) {
            return Fail(Bad("deaths out of order", "rows ascending, below 65536"));
        }
        native::Reader ids(raw.Bytes(std::uint64_t{blocks} * 4));
        if (!raw.Ok() || dead_.size() + blocks > check_.Blocks() + kChunkRows) {
            return Fail(Bad(fmt::format("deaths of {} blocks", blocks), "as many as were born"));
        }
        deaths_.push_back({row, blocks});
        for (std::uint32_t b = 0; b < blocks; ++b) dead_.push_back(BlockId{ids.Number<std::uint32_t>()});
    }
    if (!raw.Ok()) return Fail(Bad(fmt::format("ends before its {} deaths", count)));
    return {};
}

// A column of differences, as one of whole values.
void NativeReader::AddDifferences(native::Reader& raw, std::uint32_t rows, ColumnShape& shape) {
    const std::size_t planes = shape.width - native::kDifferences;
    const auto stored = raw.Bytes(std::uint64_t{planes} * rows);
    std::uint64_t value = shape.min;
    const std::size_t at = columnBytes_.size();
    columnBytes_.resize(at + std::size_t{rows} * sizeof(value));
    for (std::uint32_t row = 0; row < rows && !stored.empty(); ++row) {
        std::uint64_t difference = 0;
        for (std::size_t plane = 0; plane < planes; ++plane) {
            difference |= std::to_integer<std::uint64_t>(stored[plane * rows + row]) << 8 * plane;
        }
        value += difference >> 1 ^ (std::uint64_t{0} - (difference & 1));
        std::memcpy(columnBytes_.data() + at + row * sizeof(value), &value, sizeof(value));
    }
    shape = {0, 8};
}

Outcome<void> NativeReader::Events(native::Reader raw) {
    const auto first = raw.Number<std::uint64_t>();
    const auto rows = raw.Number<std::uint32_t>();
    const auto columnCount = raw.Number<std::uint32_t>();
    if (first != summary_.rows) return Fail(Bad(fmt::format("row {}", first), fmt::format("row {}", summary_.rows)));
    if (rows == 0 || rows > kChunkRows) return Fail(Bad(fmt::format("{} rows", rows), "1 to 65536"));
    if (columnCount > native::kMaxColumns) return Fail(Bad(fmt::format("{} columns", columnCount), "at most 64"));
    std::array<ColumnShape, kColumnCount> shapes{};
    for (std::uint32_t c = 0; c < columnCount; ++c) {
        ColumnShape shape;
        shape.min = raw.Number<std::uint64_t>();
        shape.width = raw.Number<std::uint8_t>();
        const bool differences = summary_.version >= 2 && shape.width > native::kDifferences &&
                                 shape.width <= native::kDifferences + 8;
        if (!IsColumnWidth(shape.width) && !differences) {
            return Fail(Bad(fmt::format("column {} of width {}", c, shape.width),
                            summary_.version >= 2 ? "0, 1, 2, 4, 8 or 17 to 24" : "0, 1, 2, 4 or 8"));
        }
        if (c < kColumnCount) shapes[c] = shape;
    }
    columnBytes_.clear();
    for (ColumnShape& shape : shapes) {
        if (shape.width > native::kDifferences) AddDifferences(raw, rows, shape);
        else AddBytes(raw.Bytes(std::uint64_t{shape.width} * rows));
    }
    if (!raw.Ok()) return Fail(Bad(fmt::format("ends before its {} rows", rows)));
    const Columns columns = Columns::FromBytes(rows, shapes, columnBytes_);
    const bool withBlocks = summary_.version >= 2 && columnCount >= kColumnCount;
    if (withBlocks != withBlocks_.value_or(withBlocks)) {
        return Fail(Bad(withBlocks ? "blocks in this chunk and not in those before" : "no blocks, as those before have",
                        "blocks in all chunks or in none"));
    }
    withBlocks_ = withBlocks;
    auto text = texts_.begin();
    for (std::uint32_t row = 0; row < rows; ++row) {
        const bool hasText = text != texts_.end() && text->row == row;
        const std::string_view its = hasText ? text++->text : std::string_view{};
        if (!withBlocks) {
            appender_.Append(columns.At(row).event, its);
        } else if (auto taken = Believe(columns.At(row), row, its); !taken) {
            return taken;
        }
    }
    if (withBlocks && nextDeath_ != deaths_.size()) {
        return Fail(Bad(fmt::format("deaths of row {} of {}", deaths_[nextDeath_].row, rows), "one of its rows"));
    }
    deaths_.clear();
    dead_.clear();
    nextDeath_ = nextDead_ = 0;
    if (text != texts_.end())
        return Fail(Bad(fmt::format("a text of row {} of {}", text->row, rows), "one of its rows"));
    texts_.clear();
    summary_.rows += rows;
    return {};
}

Outcome<void> NativeReader::End(native::Reader raw) {
    const auto rows = raw.Number<std::uint64_t>();
    const auto traces = raw.Number<std::uint32_t>();
    if (!raw.Ok()) return Fail(Bad("the end is cut off"));
    if (rows != summary_.rows || traces != traces_) {
        return Fail(Bad(fmt::format("an end after {} rows and {} traces", summary_.rows, traces_),
                        fmt::format("{} and {}", rows, traces)));
    }
    summary_.whole = true;
    return {};
}

Outcome<void> NativeReader::Take(std::uint32_t tag, std::span<const std::byte> raw) {
    switch (tag) {
        case native::kSource: return Source(native::Reader(raw));
        case native::kTraces: return Traces(native::Reader(raw));
        case native::kNames: return Names(native::Reader(raw), false);
        case native::kInlined: return Names(native::Reader(raw), true);
        case native::kTexts: return Texts(native::Reader(raw));
        case native::kDeaths: return Deaths(native::Reader(raw));
        case native::kEvents: return Events(native::Reader(raw));
        case native::kEnd: return End(native::Reader(raw));
        default: return {};
    }
}

bool IsKnownTag(std::uint32_t tag) {
    constexpr std::array known = {native::kSource, native::kTraces, native::kNames,  native::kInlined,
                                  native::kTexts,  native::kDeaths, native::kEvents, native::kEnd};
    return std::find(known.begin(), known.end(), tag) != known.end();
}

Outcome<NativeSummary> NativeReader::Read(const std::atomic<bool>* cancelled, std::atomic<double>* progress) {
    if (auto header = ReadHeader(); !header) return Fail(header.error());
    offset_ = native::kFileHeaderBytes;
    const std::uint64_t memoryLimit = kMemoryFree + bytes_.Size() * kMemoryPerByte;
    native::ChunkHeader chunk;
    std::span<const std::byte> stored;
    while (!summary_.whole && FindChunk(chunk, stored)) {
        if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) {
            return Fail(Failure{name_, "cancelled", ""});
        }
        if (IsKnownTag(chunk.tag)) {
            const auto raw = Decode(chunk, stored);
            if (!raw) return Fail(raw.error());
            if (auto taken = Take(chunk.tag, *raw); !taken) return Fail(taken.error());
            if (log_.ResidentBytes() > memoryLimit) {
                return Fail(Bad("the file unfolds to more memory than a recording of its size can need",
                                fmt::format("at most {} bytes", memoryLimit)));
            }
        } else if (!std::exchange(warnedTag_, true)) {
            Warn(offset_, fmt::format("an unknown chunk {} is left out", native::TagText(chunk.tag)));
        }
        offset_ += native::kChunkHeaderBytes + chunk.length;
        if (progress != nullptr) {
            progress->store(static_cast<double>(offset_) / static_cast<double>(bytes_.Size()),
                            std::memory_order_relaxed);
        }
    }
    if (!summary_.whole) {
        Warn(offset_,
             fmt::format("the file has no end: it opens up to its last whole chunk, {} events", summary_.rows));
    } else if (offset_ != bytes_.Size()) {
        Warn(offset_, fmt::format("{} bytes after the end are left out", bytes_.Size() - offset_));
    }
    for (Warning& warning : appender_.Warnings()) {
        summary_.warnings.push_back({warning.where.empty() ? name_ : name_ + ": " + warning.where, warning.text});
    }
    log_.Close();
    return std::move(summary_);
}

}  // namespace

bool LooksNative(std::span<const std::byte> firstBytes) {
    return firstBytes.size() >= native::kMagic.size() &&
           std::equal(native::kMagic.begin(), native::kMagic.end(), firstBytes.begin());
}

Outcome<NativeSummary> ReadNativeBytes(const std::string& name, std::span<const std::byte> bytes, EventLog& into,
                                       const std::atomic<bool>* cancelled, std::atomic<double>* progress) {
    MemoryBytes memory(bytes);
    return NativeReader(name, memory, into).Read(cancelled, progress);
}

Outcome<NativeSummary> ReadNative(const std::string& path, EventLog& into, const std::atomic<bool>* cancelled,
                                  std::atomic<double>* progress) {
    // Not blocked by a pipe that nobody writes to: it is no regular file and refused below.
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return Fail(Failure{path, fmt::format("cannot open: {}", std::strerror(errno)), ""});
    FileBytes bytes(file);
    struct stat about {};
    if (::fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
        return Fail(Failure{path, S_ISDIR(about.st_mode) ? "is a folder" : "is not a regular file", "a .residue file"});
    }
    bytes.SetSize(static_cast<std::uint64_t>(about.st_size));
    return NativeReader(path, bytes, into).Read(cancelled, progress);
}

}  // namespace residue::log
