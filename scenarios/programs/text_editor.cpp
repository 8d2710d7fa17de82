// A line editor under the hands of somebody who types, splits, joins and deletes lines, copies passages and undoes.
// Each line is a buffer that grows by half; each change leaves a record in an undo list of 120, where the oldest goes
// when a new one comes. What it shows: buffers that move as they grow, behind them holes that the short-lived undo
// records and clipboards fill only in part.

#include <algorithm>

#include "program.hpp"

namespace residue::scenarios {
namespace {

struct Line {
    void* buffer;
    std::size_t used;
    std::size_t room;
};

class Editor {
public:
    explicit Editor(Heap& heap) : heap_(heap) {
        lines_ = static_cast<Line*>(heap_.Take(room_ * sizeof(Line)));
        for (int line = 0; line < 90; ++line) Insert(count_, dice_.Between(0, 90));
    }

    void Work(int changes) {
        for (int change = 0; change < changes; ++change) {
            const std::size_t at = dice_.Below(count_);
            switch (dice_.Below(16)) {
                case 0: Split(at); break;
                case 1:
                    if (count_ > 40) Delete(at);
                    break;
                case 2: Insert(at, dice_.Between(0, 40)); break;
                case 3: Join(at); break;
                case 4: Copy(); break;
                default: Type(lines_[at]); break;
            }
            Record();
        }
    }

    void Close() {
        while (count_ > 0) Delete(count_ - 1);
        for (std::size_t record = 0; record < std::min(records_, kUndo); ++record) heap_.Give(undo_[record]);
        if (clipboard_ != nullptr) heap_.Give(clipboard_);
        heap_.Give(lines_);
    }

private:
    static constexpr std::size_t kUndo = 120;

    void Insert(std::size_t at, std::size_t bytes) {
        if (count_ == room_) {
            room_ *= 2;
            lines_ = static_cast<Line*>(heap_.Grow(lines_, room_ * sizeof(Line)));
        }
        for (std::size_t line = count_; line > at; --line) lines_[line] = lines_[line - 1];
        ++count_;
        lines_[at] = {heap_.Take(bytes + 16), bytes, bytes + 16};
    }

    void Delete(std::size_t at) {
        heap_.Give(lines_[at].buffer);
        --count_;
        for (std::size_t line = at; line < count_; ++line) lines_[line] = lines_[line + 1];
    }

    void Type(Line& line) {
        line.used += dice_.Between(1, 24);
        if (line.used <= line.room) return;
        line.room = line.used + line.used / 2;
        line.buffer = heap_.Grow(line.buffer, line.room);
    }

    void Split(std::size_t at) {
        const std::size_t half = lines_[at].used / 2;
        lines_[at].used -= half;
        lines_[at].room = lines_[at].used + 16;
        lines_[at].buffer = heap_.Grow(lines_[at].buffer, lines_[at].room);
        Insert(at + 1, half);
    }

    void Join(std::size_t at) {
        if (at + 1 >= count_) return;
        lines_[at].used += lines_[at + 1].used;
        lines_[at].room = lines_[at].used + 16;
        lines_[at].buffer = heap_.Grow(lines_[at].buffer, lines_[at].room);
        Delete(at + 1);
    }

    void Copy() {
        if (clipboard_ != nullptr) heap_.Give(clipboard_);
        std::size_t bytes = 0;
        const std::size_t from = dice_.Below(count_);
        for (std::size_t line = from; line < std::min(count_, from + 12); ++line) bytes += lines_[line].used + 1;
        clipboard_ = heap_.Take(bytes);
    }

    void Record() {
        void*& place = undo_[records_ % kUndo];
        if (place != nullptr) heap_.Give(place);
        place = heap_.Take(dice_.Between(24, dice_.OneIn(10) ? 300 : 56));
        ++records_;
    }

    Heap& heap_;
    Dice dice_{3};
    Line* lines_ = nullptr;
    std::size_t count_ = 0;
    std::size_t room_ = 32;
    void* undo_[kUndo] = {};
    std::size_t records_ = 0;
    void* clipboard_ = nullptr;
};

}  // namespace

void EditText(Heap& heap) {
    Editor editor(heap);
    editor.Work(3600);
    editor.Close();
}

}  // namespace residue::scenarios
