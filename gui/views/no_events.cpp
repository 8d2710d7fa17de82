#include "gui/views/no_events.hpp"

#include "session/program.hpp"

namespace residue::gui {

std::optional<NoEvents> WhyNoEvents(session::Session& session) {
    const session::LiveProgram* const program = session.GetProgram();
    if (program == nullptr || session.End().value != 0) return std::nullopt;
    const session::LiveProgram::State state = program->ProgramState();
    if (state.running && state.seen) return NoEvents{"No events yet", "The program runs, and its recorder listens."};
    if (state.running) {
        return NoEvents{"Nothing has come from it yet",
                        "The program runs. One with an allocator of its own, instead of malloc, is not seen."};
    }
    if (!state.seen) {
        return NoEvents{"Nothing was seen of it", "It ended (" + state.ended +
                                                      ") and told nothing: it did not come to malloc, has an allocator "
                                                      "of its own, or its loader took no recorder."};
    }
    return NoEvents{"It allocated nothing", "It ended (" + state.ended + ") without a call of malloc."};
}

}  // namespace residue::gui
