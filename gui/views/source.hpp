// The source of a scenario: highlighted, with the statement under the playhead, what each line holds of the heap, and
// what is wrong with it; and an editor for it. The app runs and saves what stands in the editor.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gui/view.hpp"
#include "gui/widgets/text.hpp"
#include "scenario/highlight.hpp"
#include "session/scenario.hpp"

namespace residue::gui {

class SourceView final : public View {
public:
    const char* Title() const override { return "Source"; }
    std::string Subtitle(ViewContext& context) override;
    float DrawTitleControls(ViewContext& context, float right, float centreY) override;
    void Draw(ViewContext& context, ImVec2 size) override;
    bool HandleKey(ViewContext& context, const KeyPress& press) override;

    // Follows the session; once a frame, also while it is not drawn.
    void Follow(ViewContext& context);
    bool Editing() const { return editing_; }
    void Edit(bool edit);
    const std::string& Path() const { return path_; }  // of the scenario shown last; empty: none was
    const std::string& Text() const { return text_; }  // what stands in the editor
    bool Changed() const { return text_ != saved_; }   // it is not what the file has
    void Saved(const std::string& text) { saved_ = text; }  // that is what the file has now

private:
    // What there is to say about a line.
    struct Note {
        std::uint32_t column = 0, length = 0;
        bool error = false;
        std::string text;
    };
    struct Line {
        std::string_view text;
        std::uint32_t firstSpan = 0, spans = 0;
    };

    void SetShownText(const std::string& text);
    void CollectNotes(const session::Scenario& scenario);
    void DrawCode(ViewContext& context, session::Scenario& scenario, ImVec2 size);
    void DrawLine(ViewContext& context, session::Scenario& scenario, std::uint32_t line, ImVec2 at, float width);
    void DrawGutter(ViewContext& context, const session::LineHeat* heat, std::uint32_t line, Rect row, bool current);
    void FindMade(ViewContext& context);
    void DrawEditor(ViewContext& context, ImVec2 size);
    void DrawNotes(ViewContext& context, ImVec2 size);
    void ClickLine(ViewContext& context, session::Scenario& scenario, std::uint32_t line);
    const session::LineHeat* HeatOf(session::Scenario& scenario, std::uint32_t line) const;
    float GutterWidth(const ViewContext& context) const;

    std::string path_;
    std::string text_, saved_;
    bool editing_ = false, focusEditor_ = false;
    const session::Session* session_ = nullptr;

    std::uint32_t file_ = 0;  // shown: the one of the present statement
    std::string shown_;       // its text
    std::vector<Line> lines_;
    std::vector<scenario::HighlightSpan> spans_;
    std::map<std::uint32_t, std::vector<Note>> notes_;             // by line, of the shown file
    std::vector<std::pair<std::uint32_t, std::string>> problems_;  // line (0: none), text
    bool notesOfEnd_ = false;
    std::vector<std::uint32_t> made_;  // lines of the block that is pointed at
    std::uint32_t followed_ = 0;  // line that was scrolled to
    std::uint32_t scrollTo_ = 0;  // 0: nowhere
};

}  // namespace residue::gui
