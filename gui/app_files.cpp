// What the window writes: drafts, sources, pictures, recordings; all on threads of their own.
#include <filesystem>
#include <string>
#include <system_error>

#include "export/atomic_file.hpp"
#include "export/scenario_writer.hpp"
#include "gui/app.hpp"
#include "gui/platform/png.hpp"

namespace residue::gui {

namespace fs = std::filesystem;

// Before another file is opened, and at the end: what stands in the editor and not in the file.
void App::KeepDraft() {
    if (source_.Changed())
        drafts_.Keep(source_.Path(), source_.Text());
    else
        drafts_.Drop(source_.Path());
}

void App::TellOfDrafts() {
    if (const auto failure = drafts_.TakeFailure()) Notice("Your changes could not be kept: " + failure->Text());
    if (!tellDraft_ || GetScenario() == nullptr || !GetScenario()->FromDraft()) return;
    tellDraft_ = false;
    Notice("Your changes from before are back. Ctrl+S saves them.");
}

void App::SaveSource() {
    const std::string path = session_->Path();
    const bool started = saver_.Start(path, [path, text = source_.Text()](const auto&, auto&) -> Outcome<void> {
        auto file = exports::AtomicFile::Create(path);
        if (!file) return Fail(file.error());
        file->Write(text);
        return file->Commit();
    });
    if (started)
        savingSource_ = {path, source_.Text()};
    else
        Notice("Something is being saved already.");
}

// A save of the source has ended; the source may be another by now.
void App::SourceSaved(const session::Saver::Done& saved) {
    if (saved.path != savingSource_.first) return;
    if (!saved.failure && source_.Path() == saved.path) source_.Saved(savingSource_.second);
    savingSource_ = {};
}

// A name in the working folder that nothing has yet.
std::string App::FreeName(const std::string& stem, const char* extension) const {
    std::error_code error;
    const fs::path folder = fs::current_path(error);
    fs::path path = folder / (stem + extension);
    for (int i = 2; i < 1000 && fs::exists(path, error); ++i)
        path = folder / (stem + "-" + std::to_string(i) + extension);
    return path.string();
}

void App::ExportPicture() {
    const std::string base = session_ ? fs::path(session_->Title()).stem().string() : "residue";
    const std::string at = session_ ? "-" + std::to_string(session_->Now().value) : std::string();
    const std::string path = FreeName(base + at, ".png");
    const bool started =
        pictureSaver_.Start(path, [image = platform_.ReadPixels(), path](const auto&, auto&) -> Outcome<void> {
            const auto written = WritePng(image, path);
            if (!written) return Fail(written.error());
            return {};
        });
    if (!started) Notice("A picture is being saved already.");
}

// What was done so far, as a program to go on with.
void App::SaveAsScenario() {
    if (!session_ || session_->View().Rows().value == 0) {
        Notice("There is nothing to save yet.");
        return;
    }
    const std::string path = FreeName(fs::path(session_->Title()).stem().string(), ".iridis");
    const bool started = pictureSaver_.Start(
        path, [log = session_->View(), title = session_->Title(), path](const auto&, auto&) -> Outcome<void> {
            return exports::WriteScenario(log, path, title);
        });
    if (!started) Notice("Something is being saved already.");
}

void App::SaveRecording() {
    if (!session_ || session_->View().Rows().value == 0) {
        Notice("There is nothing to save yet.");
        return;
    }
    const std::string path = FreeName(fs::path(session_->Title()).stem().string(), ".residue");
    Notice(saver_.Start(session_->View(), path) ? "Saving " + path : "A recording is being saved already.");
}

}  // namespace residue::gui
