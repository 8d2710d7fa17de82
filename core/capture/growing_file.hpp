// A native file that grows while a program is recorded, and takes its name when it is done: until then it is
// NAME.part, which opens up to its last whole chunk whatever happens to the recorder.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "log/failure.hpp"
#include "log/native_file.hpp"

namespace residue::capture {

class GrowingFile final : public log::NativeOutput {
public:
    // Failures: a folder, a place that cannot be written to.
    static Outcome<std::unique_ptr<GrowingFile>> Create(const std::string& path);
    ~GrowingFile() override;  // without Commit the part stays
    GrowingFile(const GrowingFile&) = delete;
    GrowingFile& operator=(const GrowingFile&) = delete;

    Outcome<void> Write(std::span<const std::byte> bytes) override;
    Outcome<void> Commit();  // takes the name, replacing what had it
    void Discard();          // the part goes
    const std::string& Part() const { return part_; }

private:
    GrowingFile(std::string path, std::string part, int file)
        : path_(std::move(path)), part_(std::move(part)), file_(file) {}

    std::string path_, part_;
    int file_ = -1;
};

}  // namespace residue::capture
