// Finds the fonts of gui/theme.hpp through fontconfig and fills ImGui's atlas with them.
#include <fontconfig/fontconfig.h>

#include <algorithm>

#include <cmath>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "gui/theme.hpp"

namespace residue::gui {
namespace {

// ImGui measures a font from ascent to descent; people and mocks measure ems. This is the ratio of the two fonts that
// we ask for, and near enough for what may stand in for them.
constexpr float kLabelHeightPerEm = 1.21f;  // Inter
constexpr float kMonoHeightPerEm = 1.32f;   // JetBrains Mono

constexpr ImWchar kTextRanges[] = {0x0020, 0x017F, 0x2010, 0x205E, 0x2190, 0x21FF, 0x2200, 0x22FF, 0x25A0, 0x25FF, 0};
constexpr ImWchar kIconRanges[] = {0xF000, 0xF2E0, 0};

struct Wanted {
    std::vector<const char*> families;  // the first one that is installed
    int weight;                         // FC_WEIGHT_...
    const char* style;                  // a last resort: a generic name
};

// ImGui's loader asserts on a file that is no font: look at the first bytes ourselves.
bool IsOutlineFont(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    char magic[4] = {};
    if (!file.read(magic, 4)) return false;
    return std::memcmp(magic, "\0\1\0\0", 4) == 0 || std::memcmp(magic, "OTTO", 4) == 0 ||
           std::memcmp(magic, "true", 4) == 0 || std::memcmp(magic, "ttcf", 4) == 0;
}

struct FontFile {
    std::string path;
    int index = 0;
};

class FontFinder {
public:
    FontFinder() : config_(FcInitLoadConfigAndFonts()) {}
    ~FontFinder() {
        if (config_ != nullptr) FcConfigDestroy(config_);
    }
    FontFinder(const FontFinder&) = delete;
    FontFinder& operator=(const FontFinder&) = delete;

    std::optional<FontFile> Find(const char* family, int weight, bool anyFamily) const {
        if (config_ == nullptr) return std::nullopt;
        FcPattern* pattern = FcPatternCreate();
        FcPatternAddString(pattern, FC_FAMILY, Utf8(family));
        FcPatternAddInteger(pattern, FC_WEIGHT, weight);
        FcPatternAddInteger(pattern, FC_SLANT, FC_SLANT_ROMAN);
        FcPatternAddBool(pattern, FC_SCALABLE, FcTrue);
        FcConfigSubstitute(config_, pattern, FcMatchPattern);
        FcDefaultSubstitute(pattern);
        FcResult result = FcResultNoMatch;
        FcPattern* match = FcFontMatch(config_, pattern, &result);
        FcPatternDestroy(pattern);
        if (match == nullptr) return std::nullopt;
        std::optional<FontFile> found;
        FcChar8* file = nullptr;
        if (FcPatternGetString(match, FC_FILE, 0, &file) == FcResultMatch && (anyFamily || HasFamily(match, family))) {
            FontFile candidate{reinterpret_cast<const char*>(file), 0};
            int index = 0;
            if (FcPatternGetInteger(match, FC_INDEX, 0, &index) == FcResultMatch) candidate.index = index & 0xFFFF;
            if (IsOutlineFont(candidate.path)) found = candidate;
        }
        FcPatternDestroy(match);
        return found;
    }

    std::optional<FontFile> Find(const Wanted& wanted) const {
        for (const char* family : wanted.families) {
            if (auto found = Find(family, wanted.weight, false)) return found;
        }
        return Find(wanted.style, wanted.weight, true);
    }

private:
    static const FcChar8* Utf8(const char* text) { return reinterpret_cast<const FcChar8*>(text); }
    static bool HasFamily(FcPattern* pattern, const char* family) {
        FcChar8* name = nullptr;
        for (int i = 0; FcPatternGetString(pattern, FC_FAMILY, i, &name) == FcResultMatch; ++i) {
            if (FcStrCmpIgnoreCase(name, Utf8(family)) == 0) return true;
        }
        return false;
    }
    FcConfig* config_;
};

ImFont* Add(const std::optional<FontFile>& file, float pixels, const ImWchar* ranges, bool merge) {
    ImFontConfig config;
    config.SizePixels = pixels;
    config.MergeMode = merge;
    config.PixelSnapH = true;
    config.OversampleH = 1;
    config.OversampleV = 1;
    config.GlyphRanges = ranges;
    ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
    if (file) {
        config.FontNo = file->index;
        if (ImFont* font = atlas.AddFontFromFileTTF(file->path.c_str(), pixels, &config, ranges)) return font;
    }
    if (merge) return nullptr;
    config.GlyphRanges = nullptr;
    return atlas.AddFontDefault(&config);
}

}  // namespace

Fonts LoadFonts(float scale) {
    ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
    atlas.Clear();
    atlas.Flags |= ImFontAtlasFlags_NoPowerOfTwoHeight;

    const FontFinder finder;
    const auto regular = finder.Find({{"Inter", "Noto Sans", "DejaVu Sans"}, FC_WEIGHT_REGULAR, "sans-serif"});
    const auto bold = finder.Find({{"Inter", "Noto Sans", "DejaVu Sans"}, FC_WEIGHT_DEMIBOLD, "sans-serif"});
    const auto mono = finder.Find({{"JetBrains Mono", "DejaVu Sans Mono"}, FC_WEIGHT_REGULAR, "monospace"});
    const auto monoBold = finder.Find({{"JetBrains Mono", "DejaVu Sans Mono"}, FC_WEIGHT_BOLD, "monospace"});
    auto icons = finder.Find("FontAwesome", FC_WEIGHT_REGULAR, false);
    if (!icons) icons = finder.Find("Font Awesome 4", FC_WEIGHT_REGULAR, false);

    const auto label = [&](float em) { return std::floor(em * kLabelHeightPerEm * scale + 0.5f); };
    const auto code = [&](float em) { return std::floor(em * kMonoHeightPerEm * scale + 0.5f); };

    Fonts fonts;
    fonts.scale = scale;
    fonts.haveIcons = icons.has_value();
    const auto withIcons = [&](const std::optional<FontFile>& file, float pixels) {
        ImFont* font = Add(file, pixels, kTextRanges, false);
        if (icons) Add(icons, std::floor(pixels * 0.86f), kIconRanges, true);
        return font;
    };
    fonts.label = withIcons(regular, label(13));
    fonts.labelBold = withIcons(bold, label(13));
    fonts.labelSmall = Add(regular, label(11.5f), kTextRanges, false);
    fonts.large = withIcons(regular, label(15.5f));
    fonts.mono = Add(mono, code(12.5f), kTextRanges, false);
    fonts.monoBold = Add(monoBold, code(12.5f), kTextRanges, false);
    fonts.monoSmall = Add(mono, code(11), kTextRanges, false);
    fonts.number = Add(mono, code(16), kTextRanges, false);
    ImGui::GetIO().FontDefault = fonts.label;
    atlas.Build();
    return fonts;
}

}  // namespace residue::gui
