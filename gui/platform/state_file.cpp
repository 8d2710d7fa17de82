#include "gui/platform/state_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace residue::gui {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMaxRecent = 12;
constexpr std::uintmax_t kMaxBytes = 1 << 20;

fs::path FileIn(const std::string& folder) {
    return fs::path(folder) / "view.json";
}

template <class T>
void Read(const nlohmann::json& object, const char* name, T& into) {
    if (const auto found = object.find(name); found != object.end()) into = found->template get<T>();
}

void ReadSize(const nlohmann::json& object, const char* name, float low, float high, float& into) {
    float value = into;
    Read(object, name, value);
    if (std::isfinite(value)) into = std::clamp(value, low, high);
}

}  // namespace

void SavedState::AddRecent(const std::string& path) {
    recent.erase(std::remove(recent.begin(), recent.end(), path), recent.end());
    recent.insert(recent.begin(), path);
    if (recent.size() > kMaxRecent) recent.resize(kMaxRecent);
}

std::string StateFolder() {
    if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && xdg[0] == '/') {
        return (fs::path(xdg) / "residue").string();
    }
    if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') {
        return (fs::path(home) / ".local" / "state" / "residue").string();
    }
    return {};
}

SavedState LoadState(const std::string& folder, std::string* message) {
    SavedState state;
    if (folder.empty()) return state;
    const fs::path path = FileIn(folder);
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return state;
    try {
        if (fs::file_size(path, error) > kMaxBytes) throw std::runtime_error("it is too large");
        std::ifstream file(path);
        const nlohmann::json json = nlohmann::json::parse(file);
        SavedState read;
        Read(json, "light", read.light);
        Read(json, "colour", read.colour);
        Read(json, "tab", read.tab);
        Read(json, "centre", read.centre);
        ReadSize(json, "left", 160, 2000, read.left);
        ReadSize(json, "right", 160, 2000, read.right);
        ReadSize(json, "bottom", 96, 2000, read.bottom);
        ReadSize(json, "story", 96, 2000, read.story);
        Read(json, "right_folded", read.rightFolded);
        Read(json, "inside", read.inside);
        Read(json, "duck_silent", read.duckSilent);
        Read(json, "tour_done", read.tourDone);
        ReadSize(json, "width", 640, 16384, read.width);
        ReadSize(json, "height", 420, 16384, read.height);
        Read(json, "maximised", read.maximised);
        Read(json, "speed", read.speed);
        Read(json, "recent", read.recent);
        Read(json, "folder", read.folder);
        read.colour = std::clamp(read.colour, 0, 4);
        read.tab = std::clamp(read.tab, 0, 5);
        read.centre = std::clamp(read.centre, 0, 2);
        if (!(read.speed >= 1)) read.speed = 8;
        if (read.recent.size() > kMaxRecent) read.recent.resize(kMaxRecent);
        state = read;
    } catch (const std::exception& problem) {
        fs::path aside = path;
        aside += ".bad";
        fs::rename(path, aside, error);
        if (message != nullptr) {
            *message = "The remembered state could not be read and was put aside as " + aside.string() + " (" +
                       problem.what() + ")";
        }
    }
    return state;
}

bool SaveState(const std::string& folder, const SavedState& state) {
    if (folder.empty()) return false;
    std::error_code error;
    fs::create_directories(folder, error);
    nlohmann::json json = {
        {"light", state.light},
        {"colour", state.colour},
        {"tab", state.tab},
        {"centre", state.centre},
        {"left", state.left},
        {"right", state.right},
        {"bottom", state.bottom},
        {"story", state.story},
        {"right_folded", state.rightFolded},
        {"inside", state.inside},
        {"duck_silent", state.duckSilent},
        {"tour_done", state.tourDone},
        {"width", state.width},
        {"height", state.height},
        {"maximised", state.maximised},
        {"speed", std::isfinite(state.speed) ? state.speed : 1e9},
        {"recent", state.recent},
        {"folder", state.folder},
    };
    const fs::path path = FileIn(folder);
    fs::path part = path;
    part += ".part" + std::to_string(getpid());
    {
        std::ofstream file(part, std::ios::trunc);
        // File names need not be UTF-8; what is not is replaced, and such a file is then simply not found again.
        file << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
        file.close();
        if (!file) {
            fs::remove(part, error);
            return false;
        }
    }
    fs::rename(part, path, error);
    if (error) fs::remove(part, error);
    return !error;
}

}  // namespace residue::gui
