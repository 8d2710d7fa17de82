// How the text report is laid out: titles, sections, rows of a name and a figure; colours where the terminal has them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace residue::cli {

struct ReportAllocator;
struct ReportProfile;

// File names and traces come from outside: nothing in them reaches the terminal as a control code.
std::string Harmless(std::string_view text);

class Page {
public:
    explicit Page(bool coloured) : coloured_(coloured) {}

    void Title(std::string_view text) { Line(Bold(text)); }
    void Section(std::string_view text) {
        text_ += '\n';
        Line(Bold(text));
    }
    void Line(std::string_view text) {
        text_ += text;
        text_ += '\n';
    }
    void Row(std::string_view name, std::string_view value, std::string_view note = {});
    std::string Dim(std::string_view text) const;
    std::string Bold(std::string_view text) const;
    const std::string& Text() const { return text_; }

private:
    bool coloured_;
    std::string text_;
};

// What each allocator did (cli/report_allocators_text.cpp).
void TellAllocators(const std::vector<ReportAllocator>& allocators, Page& page);
// Sites, sizes and lifetimes (cli/report_profile.cpp).
void TellProfile(const ReportProfile& profile, Page& page);

}  // namespace residue::cli
