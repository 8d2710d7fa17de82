#include "gui/platform/png.hpp"

#include <filesystem>
#include <fstream>
#include <system_error>

#include <unistd.h>

// The library stb is linked with ImGui; only the writer's declaration is needed here.
#include <stb/stb_image_write.h>

namespace residue::gui {

Outcome<bool> WritePng(const Image& image, const std::string& path) {
    std::string bytes;
    const auto append = [](void* to, void* data, int size) {
        static_cast<std::string*>(to)->append(static_cast<const char*>(data), static_cast<std::size_t>(size));
    };
    if (image.width <= 0 || image.height <= 0 ||
        stbi_write_png_to_func(append, &bytes, image.width, image.height, 4, image.pixels.data(), image.width * 4) ==
            0) {
        return Fail(Failure{path, "the picture could not be encoded", ""});
    }
    const std::string part = path + ".part" + std::to_string(getpid());
    {
        std::ofstream file(part, std::ios::binary | std::ios::trunc);
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        file.close();
        if (!file) {
            std::error_code ignored;
            std::filesystem::remove(part, ignored);
            return Fail(
                Failure{path, "the picture could not be written", "a folder that can be written to, and space"});
        }
    }
    std::error_code error;
    std::filesystem::rename(part, path, error);
    if (error) {
        std::error_code ignored;
        std::filesystem::remove(part, ignored);
        return Fail(Failure{path, "the picture could not be written: " + error.message(), "a file name"});
    }
    return true;
}

}  // namespace residue::gui
