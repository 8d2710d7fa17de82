#include "gui/views/short_name.hpp"

#include <algorithm>
#include <vector>

namespace residue::gui {

std::string ShortFunction(std::string_view name, int parts) {
    constexpr std::string_view kOperator = "operator";
    std::vector<std::string> names(1);
    int angle = 0, round = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const bool outside = angle == 0 && round == 0;
        if (outside && names.back().empty() && name.substr(i).rfind(kOperator, 0) == 0) {
            // "operator<" and "operator()": brackets that do not nest. It ends at its parameters.
            const std::size_t from = i + kOperator.size() + (name.substr(i).rfind("operator()", 0) == 0 ? 2 : 0);
            names.back() = name.substr(i, std::min(name.find('(', from), name.size()) - i);
            break;
        }
        if (c == '{') {  // "{lambda(int)#1}"
            const std::size_t end = name.find('}', i);
            if (end == std::string_view::npos) return std::string(name);
            if (outside) names.back() += "{lambda}";
            i = end;
            continue;
        }
        if (name.substr(i).rfind("(anonymous namespace)", 0) == 0 && angle == 0 && round == 0) {
            i += std::string_view("(anonymous namespace)").size() - 1;
            continue;
        }
        if (c == '<')
            ++angle;
        else if (c == '>')
            --angle;
        else if (c == '(')
            ++round;
        else if (c == ')')
            --round;
        else if (angle == 0 && round == 0) {
            if (c == ' ')
                names.assign(1, {});  // what was before it is the return type
            else if (c == ':' && i + 1 < name.size() && name[i + 1] == ':')
                names.emplace_back(), ++i;
            else
                names.back() += c;
        }
        if (c == '(' && angle == 0 && round == 1 && !names.back().empty()) break;  // the parameters
        if (angle < 0 || round < 0) return std::string(name);
    }
    if (angle != 0) return std::string(name);
    std::erase_if(names, [](const std::string& part) { return part.empty(); });
    if (names.empty()) return std::string(name);
    std::string result;
    const std::size_t keep = static_cast<std::size_t>(parts < 1 ? 1 : parts);
    for (std::size_t i = names.size() > keep ? names.size() - keep : 0; i < names.size(); ++i) {
        result += (result.empty() ? "" : "::") + names[i];
    }
    return result;
}

}  // namespace residue::gui
