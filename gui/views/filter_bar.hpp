// The filter: fields over the centre panel, and the chip that says in every panel that is filtered what is hidden.
#pragma once

#include "gui/view.hpp"
#include "gui/views/filter_fields.hpp"

namespace residue::gui {

class FilterBar {
public:
    bool IsOpen() const { return open_; }
    void Open() { open_ = true, focus_ = 0; }
    // The keyboard goes on to the next field, or back; false: none of them has it.
    bool NextField(bool backward);
    void Close() { open_ = false; }
    void Clear(session::Session& session);
    // As if that had been typed into the field.
    void Set(session::Session& session, FilterFields::Field field, const std::string& text);
    // At ImGui's cursor; the fields where it is open, else the chip where there is a filter. Returns the height.
    float Draw(ViewContext& context, float width);
    // "1 KiB to 4 KiB · in parse — hides 1,234 blocks, 56.7 KiB", with a cross that clears it. Returns the height: 0
    // where nothing is filtered.
    float DrawChip(ViewContext& context, float width, const char* id);

private:
    void Adopt(session::Session& session);
    float DrawFields(ViewContext& context, float width);
    bool DrawField(ViewContext& context, FilterFields::Field field, const char* id, const char* hint, const char* help,
                   float width);

    FilterFields fields_;
    const session::Session* session_ = nullptr;
    bool open_ = false;
    int focus_ = -1;   // the field that is to take the keyboard; < 0: none
    int active_ = -1;  // the one that has it
};

}  // namespace residue::gui
