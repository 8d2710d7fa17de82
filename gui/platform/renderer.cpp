#include "gui/platform/renderer.hpp"

#include <algorithm>
#include <cstring>

#include <glad/gl.h>

#include "backends/imgui_impl_opengl3.h"

namespace residue::gui {
namespace {

class GlTexture final : public Texture {
public:
    explicit GlTexture(bool smooth) {
        glGenTextures(1, &name_);
        glBindTexture(GL_TEXTURE_2D, name_);
        const GLint filter = smooth ? GL_LINEAR : GL_NEAREST;
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, filter);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, filter);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
    }
    ~GlTexture() override { glDeleteTextures(1, &name_); }
    GlTexture(const GlTexture&) = delete;
    GlTexture& operator=(const GlTexture&) = delete;

    void Resize(int width, int height) override {
        width = std::max(width, 1);
        height = std::max(height, 1);
        if (width == width_ && height == height_) return;
        width_ = width;
        height_ = height;
        glBindTexture(GL_TEXTURE_2D, name_);
        glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, width, height, 0, GL_RGBA, GL_UNSIGNED_BYTE, nullptr);
    }

    void Upload(int x, int y, int width, int height, const std::uint32_t* pixels) override {
        if (x < 0 || y < 0 || width <= 0 || height <= 0 || x + width > width_ || y + height > height_) return;
        glBindTexture(GL_TEXTURE_2D, name_);
        glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
        glPixelStorei(GL_UNPACK_ROW_LENGTH, 0);
        glTexSubImage2D(GL_TEXTURE_2D, 0, x, y, width, height, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    }

    int Width() const override { return width_; }
    int Height() const override { return height_; }
    ImTextureID Id() const override {
        // A pointer in 1.86, an integer in versions to come: the bits are the texture's name in both.
        static_assert(sizeof(ImTextureID) >= sizeof(name_));
        ImTextureID id{};
        std::memcpy(&id, &name_, sizeof(name_));
        return id;
    }

private:
    GLuint name_ = 0;
    int width_ = 0, height_ = 0;
};

}  // namespace

Renderer::Renderer() {
    gladLoaderLoadGL();
    glGetIntegerv(GL_MAX_TEXTURE_SIZE, &largestTexture_);
    ImGui_ImplOpenGL3_Init("#version 330 core");
}

Renderer::~Renderer() {
    ImGui_ImplOpenGL3_Shutdown();
}

void Renderer::Draw(ImDrawData* data, int width, int height, ImU32 background) {
    const ImVec4 clear = ImGui::ColorConvertU32ToFloat4(background);
    glViewport(0, 0, width, height);
    glDisable(GL_SCISSOR_TEST);
    glClearColor(clear.x, clear.y, clear.z, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    ImGui_ImplOpenGL3_RenderDrawData(data);
}

Image Renderer::Read(int width, int height) const {
    Image image{width, height,
                std::vector<std::uint32_t>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
    glPixelStorei(GL_PACK_ALIGNMENT, 4);
    glReadPixels(0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE, image.pixels.data());
    const auto row = static_cast<std::ptrdiff_t>(width);
    for (std::ptrdiff_t top = 0, bottom = height - 1; top < bottom; ++top, --bottom) {  // GL's first row is the lowest
        std::swap_ranges(image.pixels.begin() + top * row, image.pixels.begin() + (top + 1) * row,
                         image.pixels.begin() + bottom * row);
    }
    for (std::uint32_t& pixel : image.pixels) pixel |= IM_COL32_A_MASK;
    return image;
}

void Renderer::FontsChanged() {
    ImGui_ImplOpenGL3_DestroyDeviceObjects();  // the first time there are none
    ImGui_ImplOpenGL3_CreateDeviceObjects();   // shaders, buffers and the atlas
}

std::unique_ptr<Texture> Renderer::Make(bool smooth) {
    return std::make_unique<GlTexture>(smooth);
}

}  // namespace residue::gui
