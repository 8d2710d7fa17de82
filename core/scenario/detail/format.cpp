// Values as text, for Print and tostring!.
#include <fmt/format.h>

#include "scenario/detail/interpreter.hpp"

namespace residue::scenario::detail {
namespace {

constexpr std::size_t kMostElements = 32;
constexpr std::size_t kMostBytes = 16 * 1024;  // of one text
constexpr unsigned kMostPartsInside = 8;

}  // namespace

std::string Interpreter::Formatted(std::string_view format, const std::vector<Value>& values, const Location& at) {
    std::string text;
    std::size_t used = 0;
    std::size_t from = 0;
    for (std::size_t hole = format.find("{}"); hole != std::string_view::npos; hole = format.find("{}", from)) {
        text += format.substr(from, hole - from);
        if (used < values.size())
            Append(text, values[used], 0);
        else
            text += "{}";
        ++used;
        from = hole + 2;
        if (text.size() > kMostBytes) break;
    }
    text += format.substr(from);
    if (used != values.size()) {
        const auto counted = [](std::size_t count, const char* what) {
            return fmt::format("{} {}{}", count == 0 ? "no" : std::to_string(count), what, count == 1 ? "" : "s");
        };
        const bool more = values.size() > used;
        Warn(at, "holes", fmt::format("{} for {}", counted(values.size(), "value"), counted(used, "`{}`")),
             more ? "each value is shown where a `{}` stands in the text" : "a `{}` without a value stays as it is");
    }
    return text;
}

void Interpreter::Append(std::string& text, const Value& value, unsigned depth) const {
    if (text.size() > kMostBytes || depth > kMostPartsInside) {
        text += "…";
        return;
    }
    switch (value.type->kind) {
        case TypeKind::Void: text += "nothing"; break;
        case TypeKind::Nothing: text += "nothing"; break;
        case TypeKind::UntypedInteger: text += fmt::format("{}", value.Signed()); break;
        case TypeKind::Integer:
            text += value.type->isSigned ? fmt::format("{}", value.Signed()) : fmt::format("{}", value.bits);
            break;
        case TypeKind::UntypedReal: text += fmt::format("{}", value.Real()); break;
        case TypeKind::Float:
            text += value.type->size == 4 ? fmt::format("{}", static_cast<float>(value.Real()))
                                          : fmt::format("{}", value.Real());
            break;
        case TypeKind::Bool: text += value.bits != 0 ? "true" : "false"; break;
        case TypeKind::Char: text += static_cast<char>(value.bits); break;
        case TypeKind::String: text += TextOf(value); break;
        case TypeKind::Pointer: text += fmt::format("{:#x}", detail::AddressOf(value.bits)); break;
        case TypeKind::Enum: text += CaseName(value.type, value.bits); break;
        case TypeKind::Shorthand: text += reinterpret_cast<const Expression*>(value.bits)->name; break;
        case TypeKind::Procedure:
            text += value.bits != 0 && value.bits <= program_.procedures.size()
                        ? std::string(program_.procedures[value.bits - 1].name)
                        : std::string("proc");
            break;
        case TypeKind::Union:
            if (IsError(value))
                text += value.type->error == nullptr ? "nothing" : ErrorName(value);
            else if (value.type->element == nullptr)
                text += "success";
            else
                Append(text, PartOf(value, value.type->element, value.type->payload), depth + 1);
            break;
        case TypeKind::Array:
        case TypeKind::Tuple:
        case TypeKind::Struct: AppendParts(text, value, depth); break;
        case TypeKind::Unknown: text += "?"; break;
    }
}

void Interpreter::AppendParts(std::string& text, const Value& value, unsigned depth) const {
    if (value.type->kind == TypeKind::Array) {
        text += "[";
        for (std::uint64_t i = 0; i < value.type->count; ++i) {
            if (i != 0) text += ", ";
            if (i == kMostElements) {
                text += fmt::format("… {} more", value.type->count - i);
                break;
            }
            Append(text, PartOf(value, value.type->element, i * value.type->element->size), depth + 1);
        }
        text += "]";
        return;
    }
    const bool isStruct = value.type->kind == TypeKind::Struct;
    text += isStruct ? value.type->name + " { " : "(";
    for (std::size_t i = 0; i < value.type->fields.size(); ++i) {
        const Field& field = value.type->fields[i];
        if (i != 0) text += ", ";
        if (isStruct) text += std::string(field.name) + " = ";
        if (field.type->kind == TypeKind::Unknown)
            text += "?";
        else
            Append(text, PartOf(value, field.type, field.offset), depth + 1);
    }
    text += isStruct ? " }" : ")";
}

}  // namespace residue::scenario::detail
