#include "import/decompress.hpp"

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace residue::import {
namespace {

constexpr std::size_t kInputBytes = std::size_t{64} << 10;
constexpr int kLargestZstdWindowLog = 27;

// What both codecs share: a buffer of stored bytes, refilled when it is used up.
class PackedSource : public ByteSource {
public:
    PackedSource(std::string name, std::unique_ptr<RawSource> raw)
        : name_(std::move(name)), raw_(std::move(raw)), input_(std::make_unique_for_overwrite<char[]>(kInputBytes)) {}

    double Progress() const override { return raw_->Progress(); }
    bool CutOff() const override { return cutOff_; }

protected:
    // Bytes there are to unpack; empty: the stored bytes are at their end.
    Outcome<std::string_view> Input() {
        if (used_ == filled_) {
            const Outcome<std::size_t> read = raw_->Read(input_.get(), kInputBytes);
            if (!read) return Fail(read.error());
            filled_ = *read;
            used_ = 0;
        }
        return std::string_view(input_.get() + used_, filled_ - used_);
    }
    void Consume(std::size_t bytes) { used_ += bytes; }
    tl::unexpected<Failure> Damaged(const char* codec, const char* why) const {
        return Fail(Failure{name_, std::string("damaged ") + codec + " data: " + why, ""});
    }

    bool cutOff_ = false;

private:
    std::string name_;
    std::unique_ptr<RawSource> raw_;
    std::unique_ptr<char[]> input_;
    std::size_t used_ = 0;
    std::size_t filled_ = 0;
};

class GzipSource final : public PackedSource {
public:
    using PackedSource::PackedSource;
    ~GzipSource() override { if (ready_) ::inflateEnd(&stream_); }
    GzipSource(const GzipSource&) = delete;
    GzipSource& operator=(const GzipSource&) = delete;

    bool Start() { return ready_ = ::inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK; }

    Outcome<std::size_t> Read(char* to, std::size_t capacity) override {
        const auto room = static_cast<uInt>(std::min<std::size_t>(capacity, std::numeric_limits<uInt>::max()));
        while (!finished_) {
            const Outcome<std::string_view> input = Input();
            if (!input) return Fail(input.error());
            if (input->empty()) {
                finished_ = true;
                cutOff_ = insideMember_;
                break;
            }
            // Bytes behind a member that start no other one are padding; gzip itself ignores them.
            if (!insideMember_ && membersDone_ > 0 && static_cast<unsigned char>(input->front()) != 0x1f) {
                finished_ = true;
                break;
            }
            insideMember_ = true;
            stream_.next_in = reinterpret_cast<const Bytef*>(input->data());
            stream_.avail_in = static_cast<uInt>(input->size());
            stream_.next_out = reinterpret_cast<Bytef*>(to);
            stream_.avail_out = room;
            const int status = ::inflate(&stream_, Z_NO_FLUSH);
            Consume(input->size() - stream_.avail_in);
            if (status == Z_STREAM_END) {
                insideMember_ = false;
                ++membersDone_;
                if (::inflateReset(&stream_) != Z_OK) return Damaged("gzip", "cannot go on");
            } else if (status != Z_OK && status != Z_BUF_ERROR) {
                return Damaged("gzip", stream_.msg != nullptr ? stream_.msg : "not a gzip stream");
            }
            if (stream_.avail_out != room) return std::size_t{room} - stream_.avail_out;
        }
        return std::size_t{0};
    }

private:
    z_stream stream_{};
    std::uint64_t membersDone_ = 0;
    bool ready_ = false;
    bool insideMember_ = false;
    bool finished_ = false;
};

class ZstdSource final : public PackedSource {
public:
    using PackedSource::PackedSource;

    bool Start() {
        context_.reset(::ZSTD_createDCtx());
        return context_ != nullptr &&
               ZSTD_isError(::ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kLargestZstdWindowLog)) == 0;
    }

    Outcome<std::size_t> Read(char* to, std::size_t capacity) override {
        for (;;) {
            const Outcome<std::string_view> input = Input();
            if (!input) return Fail(input.error());
            // With no input left the decoder may still hold output of the frame it is in.
            ZSTD_inBuffer in{input->data(), input->size(), 0};
            ZSTD_outBuffer out{to, capacity, 0};
            const bool atEnd = input->empty();
            if (atEnd && !insideFrame_) return std::size_t{0};
            const std::size_t status = ::ZSTD_decompressStream(context_.get(), &out, &in);
            if (ZSTD_isError(status) != 0) return Damaged("zstd", ::ZSTD_getErrorName(status));
            Consume(in.pos);
            insideFrame_ = status != 0;
            if (out.pos != 0) return out.pos;
            if (atEnd) {
                cutOff_ = insideFrame_;
                return std::size_t{0};
            }
        }
    }

private:
    struct FreeContext {
        void operator()(ZSTD_DCtx* context) const { ::ZSTD_freeDCtx(context); }
    };
    std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
    bool insideFrame_ = false;
};

template <class Source>
Outcome<std::unique_ptr<ByteSource>> Started(std::string name, std::unique_ptr<RawSource> raw) {
    auto source = std::make_unique<Source>(name, std::move(raw));
    if (!source->Start()) return Fail(Failure{std::move(name), "no memory to decompress it", ""});
    return std::unique_ptr<ByteSource>(std::move(source));
}

}  // namespace

bool IsGzip(std::string_view start) { return start.substr(0, 2) == "\x1f\x8b"; }
bool IsZstd(std::string_view start) { return start.substr(0, 4) == "\x28\xb5\x2f\xfd"; }

Outcome<std::unique_ptr<ByteSource>> MakeGzipSource(std::string name, std::unique_ptr<RawSource> raw) {
    return Started<GzipSource>(std::move(name), std::move(raw));
}

Outcome<std::unique_ptr<ByteSource>> MakeZstdSource(std::string name, std::unique_ptr<RawSource> raw) {
    return Started<ZstdSource>(std::move(name), std::move(raw));
}

}  // namespace residue::import
