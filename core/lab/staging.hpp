// A private folder for one student's work: copies of the sources as they are, and what is built of them. Links and
// other things that are no plain files are refused: they could lead anywhere on this machine.
//
//     <temporary folder>/residue-lab-XXXXXX/source   the student's files      /support  ours
//                                          /build    what the compiler writes /empty    where the code runs
#pragma once

#include <string>
#include <vector>

#include "log/failure.hpp"

namespace residue::lab {

class Staging {
public:
    // `student`: a C file (the headers beside it come along), or a folder (its mm.c, or MIT's allocator.c, or its only
    // C file; with all C files and headers in it). Failures: nothing there, links, too large, too many.
    static Outcome<Staging> Make(const std::string& student);
    ~Staging();  // removes it
    Staging(Staging&& other) noexcept;
    Staging& operator=(Staging&&) = delete;

    std::string Folder(const char* part) const { return folder_ + "/" + part; }  // "source", "support", ...
    const std::string& Source() const { return source_; }                        // the file's name in "source"
    bool Has(const std::string& name) const;                                     // is a file of that name among them?
    const std::vector<std::string>& Names() const { return names_; }  // of all files in "source"
    const std::string& Text() const { return text_; }                            // of the source
    Outcome<void> Write(const char* part, const std::string& name, const std::string& text) const;

private:
    Staging() = default;
    Outcome<void> MakeFolders();
    Outcome<void> Copy(const std::string& from, const std::string& name);

    std::string folder_;
    std::string source_;
    std::string text_;
    std::vector<std::string> names_;
    std::size_t bytes_ = 0;
};

}  // namespace residue::lab
