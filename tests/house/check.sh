#!/bin/sh
# Checks the house: a module includes and links only lower floors, and a few rules of style.
#   sh tests/house/check.sh [ROOT]     exit 0 when all is well; else every offence is printed
# Since every link goes strictly downwards, the link graph cannot have a cycle.
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 2
offences=$(mktemp) || exit 2
trap 'rm -f "$offences"' EXIT

# The floors, lowest first; modules of one line do not see each other.
floors='base
field hash
circle transcript poseidon2 starkcurve
air
proof
backend verify casefile job attest
cpu cuda prove consensus
manifest store metrics placement schedule
work simulate
child
cluster
app'
job_floor=4 # job types stand on floors 0 .. 3, on jobs/gadgets, which they share and which sees none of them, and some on jobs/vm

floor_of() { # MODULE: its floor, or nothing
    printf '%s\n' "$floors" | awk -v m="$1" '{ for (i = 1; i <= NF; i++) if ($i == m) print NR - 1 }'
}

offend() { printf '%s\n' "$*" >>"$offences"; }

# Sources below a folder, one a line.
sources() { find "$@" -name '*.[ch]' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' 2>/dev/null; }

# "file module path" for each quoted include; a path without a folder counts as module ".".
includes() { # FOLDER
    sources "$1" | xargs -r grep -HE '^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*"' | awk -F: '
        { split($2, part, "\""); module = part[2]
          if (!sub(/\/.*/, "", module)) module = "."
          print $1, module, part[2] }'
}

# Names pr_<module> that a CMakeLists.txt links, one a line.
links() { # FILE
    awk '
        { sub(/#.*/, ""); gsub(/\(/, " ( "); gsub(/\)/, " ) ") }
        { for (i = 1; i <= NF; i++) {
              if ($i ~ /^(SOURCES|KERNEL|LABELS|\))$/) on = 0
              if ($i ~ /^(LINK|PRIVATE|PUBLIC|INTERFACE)$/) on = 1
              if (on && $i ~ /^pr_[a-z0-9_]+$/ && $i != "pr_flags") print substr($i, 4)
          } }' "$1"
}

check_use() { # VERB FLOOR USER USED PLACE
    used_floor=$(floor_of "$4")
    if [ -z "$used_floor" ]; then
        offend "$5: $3 must not $1 $4, which is no module"
    elif [ "$used_floor" -ge "$2" ]; then
        offend "$5: $3 must not $1 $4, which is on floor $used_floor"
    fi
}

check_module() { # FOLDER
    module=$(basename "$1")
    floor=$(floor_of "$module")
    if [ -z "$floor" ]; then
        offend "$1: tests/house/check.sh knows no floor of this module"
        return
    fi
    includes "$1" | sort -u -k1,2 | while read -r file used path; do
        [ "$used" = "$module" ] && continue
        if [ "$module" = app ] && [ -d "jobs/$used" ]; then continue; fi
        check_use include "$floor" "$module (floor $floor)" "$used" "$file ($path)"
    done
    [ -f "$1/CMakeLists.txt" ] || return
    links "$1/CMakeLists.txt" | while read -r used; do
        case $used in
        "$module" | "$module"_*) continue ;;
        jobs | job_*) [ "$module" = app ] && continue ;;
        esac
        check_use link "$floor" "$module (floor $floor)" "$used" "$1/CMakeLists.txt"
    done
}

# Whether a job type builds on a folder of jobs/ that is not its own.
shares() { # TYPE USED
    case "$1 $2" in
    'gadgets '*) return 1 ;;
    *' gadgets' | *' gadgets_column') return 0 ;;
    'generic_compute vm' | 'data_pipeline vm') return 0 ;;
    'air casefile') return 0 ;; # the one above floor 3: docs/decisions/0006-air-jobs.md
    esac
    return 1
}

check_job_type() { # FOLDER
    type=$(basename "$1")
    includes "$1" | sort -u -k1,2 | while read -r file used path; do
        if [ "$used" = "$type" ] || shares "$type" "$used" || { [ "$used" = . ] && [ -f "jobs/$path" ]; }; then continue; fi
        check_use include $job_floor "job type $type" "$used" "$file ($path)"
    done
    [ -f "$1/CMakeLists.txt" ] || return
    links "$1/CMakeLists.txt" | while read -r used; do
        case $used in job_"$type" | job_"$type"_*) continue ;; esac
        shares "$type" "${used#job_}" && continue
        check_use link $job_floor "job type $type" "$used" "$1/CMakeLists.txt"
    done
}

# Texts of ours whose names end in one of the endings, one a line.
texts() { # ENDING (an extended regular expression)
    find src jobs cuda tests docs slurm configs .ci README.md CHANGELOG.md CMakeLists.txt CMakePresets.json \
        -type f ! -path 'tests/vectors/*' 2>/dev/null | grep -E "$1"
}
search() { # WHAT PATTERN ENDING
    texts "$3" | xargs -r grep -nHE "$2" | while read -r line; do offend "$1: $line"; done
}

for folder in src/*/; do check_module "${folder%/}"; done
[ ! -d cuda ] || check_module cuda # beside the house, on cpu's floor
for folder in jobs/*/; do [ ! -d "$folder" ] || check_job_type "${folder%/}"; done

# Brackets in the patterns keep this file from matching itself.
words='\.([ch]|cpp|cu|cuh|sh|md|ya?ml|txt|json)$|^\.ci/'
search 'path of one machine' '/wor[k]/|/roo[t]/|/home/[a-z]' "$words"
search 'unfinished' 'TOD[O]|FIXM[E]' "$words"
search 'white space at the end of a line' '[[:blank:]]$' "$words"
search 'tab' "$(printf '\t')" '\.([ch]|cpp|cu|cuh|sh|ya?ml|txt)$'

# Under 500 lines, unless it is a table.
tables='src/poseidon2/constants.c'
texts '\.([ch]|cpp|cu|cuh|sh)$' | xargs -r awk -v tables=" $tables " '
    FNR == 500 && !index(tables, " " FILENAME " ") { print FILENAME ": 500 lines or more: its module has two nouns in it" }
' >>"$offences"

# The verifier with the codec of proofs at rest must stay small enough to audit; the JSON text beside it is not counted.
audited=$(sources src/verify src/proof | grep -v '/json\.c$' | xargs -r cat | wc -l)
[ "$audited" -lt 1500 ] || offend "src/verify, src/proof: $audited lines; fewer than 1500 can be audited"

sources src jobs cuda | grep -E 'h$' | xargs -r grep -LE '^#(ifndef PR_|pragma once)' |
    while read -r file; do offend "$file: no include guard"; done

if [ -s "$offences" ]; then
    sort -u "$offences"
    echo "$(sort -u "$offences" | wc -l) offences against the house"
    exit 1
fi
set -- src/*/
echo "the house stands: $# modules; verifier with its binary codec: $audited lines"
