// A file list of our own (no native dialog in the packages): folders, files of known formats, a filter that is typed.
// Keys: up and down, Enter opens, Backspace in an empty filter goes up a folder, Esc closes. A path can be typed.
// Cost: a folder is read when it is entered, at most 20,000 names of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gui/view.hpp"

namespace residue::gui {

class FileDialog {
public:
    void Open(const std::string& folder, const std::vector<std::string>& recent, const char* title = "Open");
    void Close() { open_ = false; }
    bool IsOpen() const { return open_; }
    const std::string& Folder() const { return folder_; }

    bool HandleKey(ViewContext& context, const KeyPress& press);  // true: taken
    // The chosen path, once; empty otherwise.
    std::string Draw(ViewContext& context, ImVec2 screen);

private:
    struct Entry {
        std::string name;
        bool folder = false;
        bool known = true;  // of a format that can be read, by its ending
        std::uint64_t bytes = 0;
    };
    void Enter(const std::string& folder);
    void Filter();
    void Choose();

    bool open_ = false, focus_ = false, all_ = false, scroll_ = false;
    const char* title_ = "Open";
    std::string folder_, filter_, problem_, chosen_;
    std::vector<std::string> recent_;
    std::vector<Entry> entries_;
    std::vector<std::size_t> shown_;  // indices into entries_
    std::string filtered_;            // the filter that shown_ is for
    bool filteredAll_ = false;
    std::size_t cursor_ = 0;
};

// By its name: those that traces and recordings mostly have, also compressed (.gz, .zst). What it is, its content
// tells.
bool LooksReadable(const std::string& name);

}  // namespace residue::gui
