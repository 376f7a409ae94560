/* PTX as text: the part of the language that nvcc writes for kernels of cuda/. */
#include <cstdlib>
#include <cstring>
#include <set>
#include "machine.h"

namespace ptx {

namespace {

/* Functions, for modules are read before main, maybe before this file is ready. */
const std::map<std::string, op> &operations() {
    static const std::map<std::string, op> list = {{"mov", op::mov},
                                                   {"cvta", op::mov},
                                                   {"add", op::add},
                                                   {"sub", op::sub},
                                                   {"mul.lo", op::mul_lo},
                                                   {"mul.hi", op::mul_hi},
                                                   {"mul.wide", op::mul_wide},
                                                   {"mad.lo", op::mad_lo},
                                                   {"mad.hi", op::mad_hi},
                                                   {"mad.wide", op::mad_wide},
                                                   {"div", op::div},
                                                   {"rem", op::rem},
                                                   {"neg", op::neg},
                                                   {"abs", op::abs},
                                                   {"min", op::min},
                                                   {"max", op::max},
                                                   {"and", op::and_},
                                                   {"or", op::or_},
                                                   {"xor", op::xor_},
                                                   {"not", op::not_},
                                                   {"shl", op::shl},
                                                   {"shr", op::shr},
                                                   {"shf.l", op::shf_l},
                                                   {"shf.r", op::shf_r},
                                                   {"selp", op::selp},
                                                   {"setp", op::setp},
                                                   {"cvt", op::cvt},
                                                   {"ld", op::ld},
                                                   {"st", op::st},
                                                   {"bra", op::bra},
                                                   {"ret", op::ret},
                                                   {"exit", op::ret},
                                                   {"bar.sync", op::bar},
                                                   {"barrier.sync", op::bar},
                                                   {"membar", op::fence},
                                                   {"fence", op::fence},
                                                   {"atom.global.add", op::atom_add},
                                                   {"atom.global.min", op::atom_min},
                                                   {"brev", op::brev},
                                                   {"clz", op::clz},
                                                   {"popc", op::popc},
                                                   {"bfind", op::bfind},
                                                   {"bfe", op::bfe},
                                                   {"bfi", op::bfi},
                                                   {"prmt", op::prmt},
                                                   {"lop3", op::lop3},
                                                   {"shfl.sync.bfly", op::shfl_bfly},
                                                   {"shfl.sync.idx", op::shfl_idx},
                                                   {"shfl.sync.up", op::shfl_up},
                                                   {"shfl.sync.down", op::shfl_down}};
    return list;
}
const std::map<std::string, compare> &compares() {
    static const std::map<std::string, compare> list = {
        {"eq", compare::eq}, {"ne", compare::ne}, {"lt", compare::lt}, {"le", compare::le}, {"gt", compare::gt},
        {"ge", compare::ge}, {"lo", compare::lt}, {"ls", compare::le}, {"hi", compare::gt}, {"hs", compare::ge}};
    return list;
}
const std::map<std::string, join> &joins() {
    static const std::map<std::string, join> list = {{"and", join::and_}, {"or", join::or_}, {"xor", join::xor_}};
    return list;
}
const std::map<std::string, space> &spaces() {
    static const std::map<std::string, space> list = {
        {"global", space::global}, {"shared", space::shared}, {"local", space::local}, {"param", space::param}};
    return list;
}
/* What says nothing to a machine that runs one thread at a time. */
const std::set<std::string> &harmless() {
    static const std::set<std::string> list = {"wrap", "uni", "to",      "gl", "volatile", "relaxed",
                                               "gpu",  "sys", "acq_rel", "sc", "cta",      "aligned"};
    return list;
}

/* A place of memory that has a name: a shared or local array, or a parameter. Arrays of the module get theirs when a
 * kernel names them first, but for that of dynamic size, which is behind all others. */
struct symbol {
    space where;
    int64_t at;
    size_t bytes = 0, align = 1;
    bool is_placed = true, is_dynamic = false;
};

class reader {
    const char *p_, *end_;
    uint32_t line_ = 1;
    std::map<std::string, symbol> shared_; /* of the module */
    bool has_places_ = false;              /* those that this kernel names */
    std::map<std::string, symbol> symbols_;
    std::map<std::string, unsigned> registers_;
    std::map<std::string, uint32_t> labels_;
    std::vector<std::pair<uint32_t, std::string>> jumps_;
    kernel *k_ = nullptr;

  public:
    reader(const char *text, size_t n) : p_(text), end_(text + n) {}

    void read(std::map<std::string, kernel> &out) {
        for (std::string w; !(w = word()).empty();) {
            if (w == ".version" || w == ".target" || w == ".address_size")
                skip_line();
            else if (w == ".shared" || w == ".extern" || w == ".visible" || w == ".weak")
                declaration(out, w);
            else
                stop("line %u: '%s' at the module's level", line_, w.c_str());
        }
    }

  private:
    /* ---- words ---- */

    void skip_blanks() {
        for (; p_ < end_; p_++) {
            if (*p_ == '\n') line_++;
            if (p_ + 1 < end_ && p_[0] == '/' && p_[1] == '/') {
                while (p_ < end_ && *p_ != '\n') p_++;
                p_--;
            } else if (*p_ && !std::isspace((unsigned char)*p_)) {
                return;
            }
        }
    }
    void skip_line() {
        while (p_ < end_ && *p_ != '\n') p_++;
    }
    static bool is_of_name(char c) { return std::isalnum((unsigned char)c) || strchr("_.$%:", c); }
    char peek() {
        skip_blanks();
        return p_ < end_ ? *p_ : 0;
    }
    /* A name or a number, else one character; "" at the end. */
    std::string word() {
        if (!peek()) return "";
        const char *first = p_;
        if (*p_ == '-' && p_ + 1 < end_ && std::isdigit((unsigned char)p_[1])) p_++;
        if (!is_of_name(*p_)) return std::string(1, *p_++);
        while (p_ < end_ && is_of_name(*p_)) p_++;
        return std::string(first, p_);
    }
    void expect(const char *what) {
        const std::string w = word();
        if (w != what) stop("line %u: '%s' where '%s' should be", line_, w.c_str(), what);
    }
    bool take(char c) {
        if (peek() != c) return false;
        p_++;
        return true;
    }
    int64_t number() {
        const std::string w = word();
        return (int64_t)strtoull(w.c_str(), nullptr, 0);
    }

    /* ---- declarations ---- */

    static unsigned bits_of(const std::string &type) {
        if (type == "pred") return 1;
        return (unsigned)strtoul(type.c_str() + 1, nullptr, 10);
    }
    /* ".align 16 .b8 name[512]" or ".u32 name": its name, where it goes behind at, and how long it is. */
    std::string array(size_t &at, size_t &bytes, size_t &align) {
        align = 0;
        std::string w = word();
        if (w == ".align") align = (size_t)number(), w = word();
        const size_t each = bits_of(w.substr(1)) / 8;
        const std::string name = word();
        bytes = each;
        if (take('[')) {
            bytes = peek() == ']' ? 0 : each * (size_t)number();
            expect("]");
        }
        align = align ? align : each;
        at = (at + align - 1) / align * align;
        return name;
    }
    void declaration(std::map<std::string, kernel> &out, std::string w) {
        const bool is_extern = w == ".extern";
        if (w != ".shared") w = word();
        if (w == ".entry") {
            entry(out);
        } else if (w == ".shared") {
            size_t bytes = 0, at = 0, align;
            const std::string name = array(at, bytes, align);
            shared_[name] = symbol{space::shared, 0, bytes, align, false, is_extern};
            expect(";");
        } else {
            stop("line %u: %s", line_, w.c_str());
        }
    }
    void entry(std::map<std::string, kernel> &out) {
        const std::string name = word();
        kernel &k = out[name];
        k = kernel{};
        k.name = name;
        k_ = &k;
        symbols_ = shared_;
        parameters();
        for (std::string w = word(); w != "{"; w = word()) {
            if (w == ".maxntid") {
                k.most_threads = (unsigned)number();
                while (take(',')) k.most_threads *= (unsigned)number();
            } else if (w == ".minnctapersm") {
                (void)number();
            } else {
                stop("line %u: %s of a kernel", line_, w.c_str());
            }
        }
        const char *begin = p_;
        const uint32_t line = line_;
        has_places_ = false;
        body();
        has_places_ = true;
        p_ = begin, line_ = line;
        body();
        for (const auto &jump : jumps_) {
            if (!labels_.count(jump.second)) stop("%s: no label %s", name.c_str(), jump.second.c_str());
            k.code[jump.first].target = labels_[jump.second];
        }
    }
    void parameters() {
        size_t at = 0, bytes = 0, align;
        expect("(");
        while (!take(')')) {
            std::string w = word();
            if (w == ",") w = word();
            if (w != ".param") stop("line %u: '%s' among parameters", line_, w.c_str());
            const std::string name = array(at, bytes, align);
            symbols_[name] = symbol{space::param, (int64_t)at};
            k_->parameters.push_back(parameter{at, bytes});
            at += bytes;
        }
        k_->parameter_bytes = at;
    }

    /* ---- instructions ---- */

    unsigned register_of(const std::string &name) {
        const auto found = registers_.find(name);
        if (found != registers_.end()) return found->second;
        return registers_[name] = k_->n_registers++;
    }
    void body() {
        int depth = 1;
        registers_.clear(), labels_.clear(), jumps_.clear();
        k_->code.clear();
        k_->n_registers = 0, k_->local_bytes = 0;
        while (depth) {
            std::string w = word();
            if (w == "{")
                depth++;
            else if (w == "}")
                depth--;
            else if (w == ".reg" || w == ".pragma" || w == ".loc")
                while (word() != ";") continue;
            else if (w == ".local" || w == ".shared")
                local(w == ".shared");
            else if (w.empty())
                stop("%s does not end", k_->name.c_str());
            else if (w.back() == ':')
                labels_[w.substr(0, w.size() - 1)] = (uint32_t)k_->code.size();
            else
                instruction(w);
        }
    }
    void local(bool is_shared) {
        size_t at = is_shared ? 0 : k_->local_bytes, bytes = 0, align;
        const std::string name = array(at, bytes, align);
        if (!is_shared)
            symbols_[name] = symbol{space::local, (int64_t)at}, k_->local_bytes = at + bytes;
        else if (!has_places_)
            symbols_[name] = symbol{space::shared, 0, bytes, align, false, false};
        expect(";");
    }
    static std::vector<std::string> split(const std::string &w) {
        std::vector<std::string> out;
        for (size_t at = 0; at <= w.size();) {
            const size_t dot = std::min(w.find('.', at), w.size());
            out.push_back(w.substr(at, dot - at));
            at = dot + 1;
        }
        return out;
    }
    int64_t place_of(symbol &s) {
        if (s.is_dynamic) return (int64_t)((k_->shared_bytes + 15) / 16 * 16);
        if (!s.is_placed) {
            if (has_places_) stop("%s: an array that was not there before", k_->name.c_str());
            s.at = (int64_t)((k_->shared_bytes + s.align - 1) / s.align * s.align);
            s.is_placed = true;
            k_->shared_bytes = (size_t)s.at + s.bytes;
        }
        return s.at;
    }
    operand operand_of(const std::string &w) {
        static const std::map<std::string, int> specials = {
            {"%tid.x", tid_x},   {"%ctaid.x", ctaid_x},   {"%ctaid.y", ctaid_y},
            {"%ntid.x", ntid_x}, {"%nctaid.x", nctaid_x}, {"%nctaid.y", nctaid_y},
            {"%tid.y", tid_y},   {"%ntid.y", ntid_y},     {"%laneid", laneid}};
        operand o;
        if (specials.count(w)) {
            o.kind = operand::special, o.v = specials.at(w);
        } else if (w[0] == '%') {
            o.kind = operand::reg, o.v = register_of(w);
        } else if (std::isdigit((unsigned char)w[0]) || w[0] == '-') {
            o.kind = operand::value,
            o.v = w[0] == '-' ? strtoll(w.c_str(), nullptr, 0) : (int64_t)strtoull(w.c_str(), nullptr, 0);
        } else {
            if (!symbols_.count(w)) stop("line %u: what is %s?", line_, w.c_str());
            o.kind = operand::value, o.v = place_of(symbols_[w]);
        }
        return o;
    }
    operand place() { /* behind its bracket */
        operand o = operand_of(word());
        if (take('+')) o.offset = number();
        expect("]");
        return o;
    }
    void instruction(std::string w) {
        insn i;
        i.line = line_;
        if (w == "@") {
            i.is_negated = take('!');
            i.guard = (int32_t)register_of(word());
            w = word();
        }
        decode(i, split(w), w);
        operands(i);
        k_->code.push_back(i);
    }
    void operands(insn &i) {
        const bool has_target = i.what != op::st && i.what != op::bra && i.what != op::ret && i.what != op::bar &&
                                i.what != op::fence && i.what != op::nop;
        bool is_first = true;
        if (i.what == op::bra) jumps_.push_back({(uint32_t)k_->code.size(), word()});
        while (!take(';')) {
            if (take(',')) {
                is_first = false;
                continue;
            }
            const bool to = has_target && is_first;
            const bool in_braces = take('{');
            do {
                operand o = take('[') ? place() : take('!') ? stop("line %u: '!'", line_),
                        operand{} : operand_of(word());
                if (to)
                    i.to[i.n_to++] = o;
                else if (i.n_from < 5)
                    i.from[i.n_from++] = o;
                else
                    stop("line %u: too many operands", line_);
            } while ((in_braces && take(',')) || (to && take('|')));
            if (in_braces) expect("}");
        }
    }

    static bool is_type(const std::string &s) {
        return s == "pred" || (s.size() >= 2 && strchr("usb", s[0]) && std::isdigit((unsigned char)s[1]));
    }
    /* Types: of a conversion the result's and its source's, of a comparison with a predicate the first. */
    static bool take_modifier(insn &i, const std::string &s) {
        if (is_type(s)) {
            i.from_bits = (uint8_t)(i.bits ? bits_of(s) : 0), i.is_from_signed = s[0] == 's';
            if (!i.bits) i.bits = (uint8_t)bits_of(s), i.is_signed = s[0] == 's';
            return true;
        }
        if (i.what == op::setp && compares().count(s)) return i.cmp = compares().at(s), true;
        if (i.what == op::setp && joins().count(s)) return i.with = joins().at(s), true;
        if (spaces().count(s)) return i.where = spaces().at(s), true;
        if (s == "v2" || s == "v4") return i.vector = (uint8_t)(s[1] - '0'), true;
        if (s == "clamp") return i.is_clamped = true;
        return harmless().count(s) > 0;
    }
    /* An instruction's name has up to three parts. */
    void decode(insn &i, const std::vector<std::string> &part, const std::string &w) {
        std::string name = part[0];
        size_t at = 1;
        while (!operations().count(name) && at < part.size() && at < 4) name += "." + part[at++];
        if (!operations().count(name)) stop("line %u: instruction %s", line_, w.c_str());
        i.what = operations().at(name);
        if (name == "atom.global.add" || name == "atom.global.min") i.where = space::global;
        for (; at < part.size(); at++) {
            if (part[at] == "nc")
                stop("line %u: a load from a cache that nobody keeps up to date: %s", line_, w.c_str());
            if (!take_modifier(i, part[at])) stop("line %u: .%s of %s", line_, part[at].c_str(), w.c_str());
        }
        /* Memory of any space is the device's: nothing else has a place there, unless by an instruction as this one. */
        if (name == "cvta" && i.where != space::global) stop("line %u: %s", line_, w.c_str());
    }
};

} // namespace

void read_module(std::map<std::string, kernel> &out, const char *text, size_t n) { reader(text, n).read(out); }

} // namespace ptx
