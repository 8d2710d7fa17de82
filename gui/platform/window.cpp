#include "gui/platform/window.hpp"

#include <algorithm>
#include <utility>

#include <glad/gl.h>

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include "gui/platform/renderer.hpp"

namespace residue::gui {
namespace {

// Keys that are named by what they do. Letters and digits go by the keyboard's layout (see FromGlfw), and the
// characters / ? [ ] + - , . by what was typed, as they lie elsewhere on every layout.
struct NamedKey {
    int theirs;
    Key ours;
};
constexpr NamedKey kNamedKeys[] = {
    {GLFW_KEY_SPACE, Key::Space},    {GLFW_KEY_ENTER, Key::Enter},
    {GLFW_KEY_KP_ENTER, Key::Enter}, {GLFW_KEY_ESCAPE, Key::Escape},
    {GLFW_KEY_TAB, Key::Tab},        {GLFW_KEY_BACKSPACE, Key::Backspace},
    {GLFW_KEY_DELETE, Key::Delete},  {GLFW_KEY_INSERT, Key::Insert},
    {GLFW_KEY_LEFT, Key::Left},      {GLFW_KEY_RIGHT, Key::Right},
    {GLFW_KEY_UP, Key::Up},          {GLFW_KEY_DOWN, Key::Down},
    {GLFW_KEY_PAGE_UP, Key::PageUp}, {GLFW_KEY_PAGE_DOWN, Key::PageDown},
    {GLFW_KEY_HOME, Key::Home},      {GLFW_KEY_END, Key::End},
    {GLFW_KEY_F1, Key::F1},          {GLFW_KEY_F11, Key::F11},
};

Key Offset(Key first, int by) {
    return static_cast<Key>(static_cast<int>(first) + by);
}

Key FromGlfw(int key, int scancode) {
    for (const NamedKey& named : kNamedKeys) {
        if (named.theirs == key) return named.ours;
    }
    const bool printable = key >= GLFW_KEY_SPACE && key <= GLFW_KEY_WORLD_2;
    if (printable) {
        if (const char* name = glfwGetKeyName(key, scancode); name != nullptr && name[0] != '\0' && name[1] == '\0') {
            if (name[0] >= 'a' && name[0] <= 'z') return Offset(Key::A, name[0] - 'a');
            if (name[0] >= 'A' && name[0] <= 'Z') return Offset(Key::A, name[0] - 'A');
        }
    }
    if (key >= GLFW_KEY_A && key <= GLFW_KEY_Z && !printable) return Offset(Key::A, key - GLFW_KEY_A);
    if (key >= GLFW_KEY_0 && key <= GLFW_KEY_9) return Offset(Key::Digit0, key - GLFW_KEY_0);
    if (key >= GLFW_KEY_KP_0 && key <= GLFW_KEY_KP_9) return Offset(Key::Digit0, key - GLFW_KEY_KP_0);
    if (key >= GLFW_KEY_A && key <= GLFW_KEY_Z) return Offset(Key::A, key - GLFW_KEY_A);  // a layout without Latin
    return Key::None;
}

Key FromCharacter(unsigned character) {
    switch (character) {
        case '/': return Key::Slash;
        case '?': return Key::Question;
        case '[': return Key::LeftBracket;
        case ']': return Key::RightBracket;
        case '+': return Key::Plus;
        case '-': return Key::Minus;
        case ',': return Key::Comma;
        case '.': return Key::Period;
        default: return Key::None;
    }
}

std::string lastGlfwError;

class GlfwWindow final : public Window {
public:
    ~GlfwWindow() override {
        renderer_.reset();
        for (GLFWcursor* cursor : cursors_) {
            if (cursor != nullptr) glfwDestroyCursor(cursor);
        }
        if (window_ != nullptr) glfwDestroyWindow(window_);
        glfwTerminate();
    }

    bool Start(ImVec2 size, float scale, bool maximised) {
        glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
        glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
        glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
        glfwWindowHint(GLFW_SCALE_TO_MONITOR, scale > 0 ? GLFW_FALSE : GLFW_TRUE);
        glfwWindowHint(GLFW_MAXIMIZED, maximised ? GLFW_TRUE : GLFW_FALSE);
        glfwWindowHintString(GLFW_X11_CLASS_NAME, "residue-view");
        glfwWindowHintString(GLFW_X11_INSTANCE_NAME, "residue-view");
        overrideScale_ = scale;
        int width = static_cast<int>(size.x * (scale > 0 ? scale : 1)),
            height = static_cast<int>(size.y * (scale > 0 ? scale : 1));
        if (GLFWmonitor* monitor = glfwGetPrimaryMonitor()) {
            int x = 0, y = 0, workWidth = 0, workHeight = 0;
            glfwGetMonitorWorkarea(monitor, &x, &y, &workWidth, &workHeight);
            if (workWidth > 0) width = std::min(width, workWidth);
            if (workHeight > 0) height = std::min(height, workHeight);
        }
        window_ = glfwCreateWindow(width, height, "Residue", nullptr, nullptr);
        if (window_ == nullptr) return false;
        glfwSetWindowSizeLimits(window_, 640, 420, GLFW_DONT_CARE, GLFW_DONT_CARE);
        glfwMakeContextCurrent(window_);
        glfwSwapInterval(1);
        renderer_ = std::make_unique<Renderer>();
        glfwSetWindowUserPointer(window_, this);
        InstallCallbacks();
        ImGuiIO& io = ImGui::GetIO();
        io.ClipboardUserData = window_;
        io.GetClipboardTextFn = [](void* w) { return glfwGetClipboardString(static_cast<GLFWwindow*>(w)); };
        io.SetClipboardTextFn = [](void* w, const char* t) { glfwSetClipboardString(static_cast<GLFWwindow*>(w), t); };
        return true;
    }

    ImVec2 Size() const override {
        int width = 0, height = 0;
        glfwGetFramebufferSize(window_, &width, &height);
        return {static_cast<float>(width), static_cast<float>(height)};
    }
    float Scale() const override {
        if (overrideScale_ > 0) return overrideScale_;
        float x = 1, y = 1;
        glfwGetWindowContentScale(window_, &x, &y);
        return std::clamp(std::max(x, y), 0.5f, 6.0f);
    }
    std::vector<InputEvent> Poll(double wait) override {
        if (wait > 0)
            glfwWaitEventsTimeout(wait);
        else
            glfwPollEvents();
        if (glfwWindowShouldClose(window_)) {
            InputEvent close;
            close.kind = InputEvent::Kind::Close;
            pending_.push_back(close);
        }
        return std::exchange(pending_, {});
    }
    void Wake() override { glfwPostEmptyEvent(); }
    void Present(ImDrawData* data, ImU32 background) override {
        const ImVec2 size = Size();
        renderer_->Draw(data, static_cast<int>(size.x), static_cast<int>(size.y), background);
        shown_ = size;
        background_ = background;
        glfwSwapBuffers(window_);
    }
    Image ReadPixels() override {
        // What was shown has left the back buffer; the front one cannot be read everywhere. The frame's lists are
        // still there: draw them once more, and do not show it.
        renderer_->Draw(ImGui::GetDrawData(), static_cast<int>(shown_.x), static_cast<int>(shown_.y), background_);
        return renderer_->Read(static_cast<int>(shown_.x), static_cast<int>(shown_.y));
    }
    TextureFactory& Textures() override { return *renderer_; }
    void FontsChanged() override { renderer_->FontsChanged(); }
    void SetTitle(const std::string& title) override { glfwSetWindowTitle(window_, title.c_str()); }
    void SetCursor(ImGuiMouseCursor cursor) override {
        if (cursor == shownCursor_) return;
        shownCursor_ = cursor;
        if (cursor < 0 || cursor >= ImGuiMouseCursor_COUNT) return;
        glfwSetCursor(window_, cursors_[cursor]);  // a null cursor is the arrow
    }
    bool Maximised() const override { return glfwGetWindowAttrib(window_, GLFW_MAXIMIZED) != 0; }

private:
    static GlfwWindow& Self(GLFWwindow* window) { return *static_cast<GlfwWindow*>(glfwGetWindowUserPointer(window)); }
    void Push(InputEvent event) { pending_.push_back(std::move(event)); }

    // Shift, Ctrl and Alt alone: a drag or the wheel may mean something else with them. X11 tells of what was held
    // before.
    void HoldModifier(KeyPress press, int key, bool down) {
        if (key == GLFW_KEY_LEFT_SHIFT || key == GLFW_KEY_RIGHT_SHIFT) press.shift = down;
        else if (key == GLFW_KEY_LEFT_CONTROL || key == GLFW_KEY_RIGHT_CONTROL) press.ctrl = down;
        else if (key == GLFW_KEY_LEFT_ALT || key == GLFW_KEY_RIGHT_ALT) press.alt = down;
        else return;
        Push(InputEvent::Hold(press));
    }

    void InstallCallbacks() {
        cursors_[ImGuiMouseCursor_TextInput] = glfwCreateStandardCursor(GLFW_IBEAM_CURSOR);
        cursors_[ImGuiMouseCursor_ResizeEW] = glfwCreateStandardCursor(GLFW_HRESIZE_CURSOR);
        cursors_[ImGuiMouseCursor_ResizeNS] = glfwCreateStandardCursor(GLFW_VRESIZE_CURSOR);
        cursors_[ImGuiMouseCursor_Hand] = glfwCreateStandardCursor(GLFW_HAND_CURSOR);
        glfwSetKeyCallback(window_, [](GLFWwindow* w, int key, int scancode, int action, int mods) {
            KeyPress press{FromGlfw(key, scancode), (mods & GLFW_MOD_CONTROL) != 0, (mods & GLFW_MOD_SHIFT) != 0,
                           (mods & GLFW_MOD_ALT) != 0, action == GLFW_REPEAT};
            if (press.key == Key::None) return Self(w).HoldModifier(press, key, action != GLFW_RELEASE);
            Self(w).Push(action == GLFW_RELEASE ? InputEvent::Release(press) : InputEvent::Press(press));
        });
        glfwSetCharCallback(window_, [](GLFWwindow* w, unsigned character) {
            Self(w).Push(InputEvent::Typed(character));
            if (const Key key = FromCharacter(character); key != Key::None) {
                KeyPress press;
                press.key = key;
                Self(w).Push(InputEvent::Press(press));
                Self(w).Push(InputEvent::Release(press));
            }
        });
        glfwSetCursorPosCallback(window_, [](GLFWwindow* w, double x, double y) {
            // Screen coordinates to pixels of the framebuffer (they differ under Wayland with a scale).
            int windowWidth = 1, windowHeight = 1;
            glfwGetWindowSize(w, &windowWidth, &windowHeight);
            const ImVec2 size = Self(w).Size();
            Self(w).Push(
                InputEvent::Mouse({static_cast<float>(x) * size.x / static_cast<float>(std::max(windowWidth, 1)),
                                   static_cast<float>(y) * size.y / static_cast<float>(std::max(windowHeight, 1))}));
        });
        glfwSetMouseButtonCallback(window_, [](GLFWwindow* w, int button, int action, int) {
            Self(w).Push(InputEvent::Button(button, action == GLFW_PRESS));
        });
        glfwSetScrollCallback(window_, [](GLFWwindow* w, double x, double y) {
            Self(w).Push(InputEvent::Scroll({static_cast<float>(x), static_cast<float>(y)}));
        });
        glfwSetDropCallback(window_, [](GLFWwindow* w, int count, const char** paths) {
            InputEvent event;
            event.kind = InputEvent::Kind::FilesDropped;
            for (int i = 0; i < count; ++i) event.files.emplace_back(paths[i]);
            Self(w).Push(std::move(event));
        });
        glfwSetWindowFocusCallback(window_, [](GLFWwindow* w, int focused) {
            if (focused != 0) return;
            InputEvent event;
            event.kind = InputEvent::Kind::FocusLost;
            Self(w).Push(std::move(event));
        });
        glfwSetCursorEnterCallback(window_, [](GLFWwindow* w, int entered) {
            if (entered == 0) Self(w).Push(InputEvent::Mouse({-1e9f, -1e9f}));
        });
    }

    GLFWwindow* window_ = nullptr;
    GLFWcursor* cursors_[ImGuiMouseCursor_COUNT] = {};
    ImGuiMouseCursor shownCursor_ = ImGuiMouseCursor_Arrow;
    float overrideScale_ = 0;
    ImVec2 shown_{};
    ImU32 background_ = 0;
    std::unique_ptr<Renderer> renderer_;
    std::vector<InputEvent> pending_;
};

}  // namespace

Outcome<std::unique_ptr<Window>> Window::Make(ImVec2 size, float scale, bool maximised) {
    lastGlfwError.clear();
    glfwSetErrorCallback([](int, const char* text) { lastGlfwError = text; });
    const auto failed = [] {
        return Fail(Failure{"the window", lastGlfwError.empty() ? "it could not be opened" : lastGlfwError,
                            "a display (DISPLAY or WAYLAND_DISPLAY) with OpenGL 3.3; without one, "
                            "`residue picture FILE --at EVENT -o out.png` writes a picture"});
    };
    if (glfwInit() != GLFW_TRUE) return failed();
    auto made = std::make_unique<GlfwWindow>();  // terminates GLFW when it goes
    if (!made->Start(size, scale, maximised)) return failed();
    return std::unique_ptr<Window>(std::move(made));
}

}  // namespace residue::gui
