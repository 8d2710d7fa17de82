#include "gui/platform/offscreen.hpp"

#include <utility>

#include <glad/egl.h>
#include <glad/gl.h>

#include "gui/platform/renderer.hpp"

#if defined(__SANITIZE_ADDRESS__)
// Under the leak checker graphics drivers stay loaded: what their globals hold looks lost once they are gone, and the
// report could not even name them.
extern "C" int dlclose(void*) { return 0; }
#endif

namespace residue::gui {
namespace {

class EglOffscreen final : public Offscreen {
public:
    EglOffscreen(int width, int height, float scale) : width_(width), height_(height), scale_(scale) {}

    ~EglOffscreen() override {
        renderer_.reset();
        if (framebuffer_ != 0) glDeleteFramebuffers(1, &framebuffer_);
        if (colour_ != 0) glDeleteTextures(1, &colour_);
        if (display_ != EGL_NO_DISPLAY) {
            eglMakeCurrent(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
            if (context_ != EGL_NO_CONTEXT) eglDestroyContext(display_, context_);
            eglTerminate(display_);
        }
    }

    // Empty: it worked.
    std::string Start() {
        if (gladLoaderLoadEGL(nullptr) == 0) return "libEGL could not be loaded";
        // Before there is a display, glad knows only the version of the client library, which may be told as 1.0.
        const auto platformDisplay =
            reinterpret_cast<PFNEGLGETPLATFORMDISPLAYEXTPROC>(eglGetProcAddress("eglGetPlatformDisplayEXT"));
        if (platformDisplay != nullptr)
            display_ = platformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr);
        if (display_ == EGL_NO_DISPLAY || eglInitialize(display_, nullptr, nullptr) == EGL_FALSE) {
            display_ = eglGetDisplay(EGL_DEFAULT_DISPLAY);
            if (display_ == EGL_NO_DISPLAY || eglInitialize(display_, nullptr, nullptr) == EGL_FALSE) {
                display_ = EGL_NO_DISPLAY;
                return "EGL found no way to draw without a display";
            }
        }
        if (gladLoaderLoadEGL(display_) == 0) return "libEGL is older than 1.5";
        if (eglBindAPI(EGL_OPENGL_API) == EGL_FALSE) return "EGL has no desktop OpenGL";
        static constexpr EGLint kConfig[] = {EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_SURFACE_TYPE, 0, EGL_NONE};
        EGLConfig config = nullptr;
        EGLint configs = 0;
        if (eglChooseConfig(display_, kConfig, &config, 1, &configs) == EGL_FALSE || configs == 0) config = nullptr;
        static constexpr EGLint kContext[] = {
            EGL_CONTEXT_MAJOR_VERSION,           3,       EGL_CONTEXT_MINOR_VERSION, 3, EGL_CONTEXT_OPENGL_PROFILE_MASK,
            EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT, EGL_NONE};
        context_ = eglCreateContext(display_, config, EGL_NO_CONTEXT, kContext);
        if (context_ == EGL_NO_CONTEXT) return "no OpenGL 3.3 core context";
        if (eglMakeCurrent(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, context_) == EGL_FALSE) {
            return "the OpenGL context could not be made current";
        }
        renderer_ = std::make_unique<Renderer>();
        if (width_ > renderer_->LargestTexture() || height_ > renderer_->LargestTexture()) {
            return "the picture is larger than OpenGL allows here (" + std::to_string(renderer_->LargestTexture()) +
                   " pixels)";
        }
        glGenTextures(1, &colour_);
        glBindTexture(GL_TEXTURE_2D, colour_);
        glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, width_, height_, 0, GL_RGBA, GL_UNSIGNED_BYTE, nullptr);
        glGenFramebuffers(1, &framebuffer_);
        glBindFramebuffer(GL_FRAMEBUFFER, framebuffer_);
        glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, colour_, 0);
        if (glCheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE) return "no framebuffer to draw into";
        return {};
    }

    ImVec2 Size() const override { return {static_cast<float>(width_), static_cast<float>(height_)}; }
    float Scale() const override { return scale_; }
    std::vector<InputEvent> Poll(double) override { return std::exchange(pending_, {}); }
    void Present(ImDrawData* data, ImU32 background) override {
        glBindFramebuffer(GL_FRAMEBUFFER, framebuffer_);
        renderer_->Draw(data, width_, height_, background);
    }
    Image ReadPixels() override {
        glBindFramebuffer(GL_FRAMEBUFFER, framebuffer_);
        return renderer_->Read(width_, height_);
    }
    TextureFactory& Textures() override { return *renderer_; }
    void FontsChanged() override { renderer_->FontsChanged(); }
    void SetTitle(const std::string&) override {}
    void SetCursor(ImGuiMouseCursor) override {}
    void Send(InputEvent event) override { pending_.push_back(std::move(event)); }

private:
    int width_, height_;
    float scale_;
    EGLDisplay display_ = EGL_NO_DISPLAY;
    EGLContext context_ = EGL_NO_CONTEXT;
    GLuint framebuffer_ = 0, colour_ = 0;
    std::unique_ptr<Renderer> renderer_;
    std::vector<InputEvent> pending_;
};

}  // namespace

Outcome<std::unique_ptr<Offscreen>> Offscreen::Make(ImVec2 size, float scale) {
    const int width = static_cast<int>(size.x), height = static_cast<int>(size.y);
    if (width < 1 || height < 1 || width > 16384 || height > 16384) {
        return Fail(Failure{"--size", "a picture of " + std::to_string(width) + "x" + std::to_string(height),
                            "1x1 to 16384x16384"});
    }
    auto made = std::make_unique<EglOffscreen>(width, height, scale);
    if (std::string why = made->Start(); !why.empty()) {
        return Fail(Failure{"drawing without a display", std::move(why),
                            "EGL 1.5 with OpenGL 3.3; Debian packages libegl1 and libgl1-mesa-dri"});
    }
    return std::unique_ptr<Offscreen>(std::move(made));
}

}  // namespace residue::gui
