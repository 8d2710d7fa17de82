// Dear ImGui's OpenGL 3 backend and our textures, on whatever context is current. One at a time.
#pragma once

#include "gui/platform/platform.hpp"

namespace residue::gui {

class Renderer final : public TextureFactory {
public:
    // A context of OpenGL 3.3 or later must be current, and ImGui's context made.
    Renderer();
    ~Renderer() override;
    Renderer(const Renderer&) = delete;
    Renderer& operator=(const Renderer&) = delete;

    void Draw(ImDrawData* data, int width, int height, ImU32 background);  // into the bound framebuffer
    Image Read(int width, int height) const;                               // of the bound framebuffer
    void FontsChanged();
    int LargestTexture() const { return largestTexture_; }
    std::unique_ptr<Texture> Make(bool smooth) override;

private:
    int largestTexture_ = 0;
};

}  // namespace residue::gui
