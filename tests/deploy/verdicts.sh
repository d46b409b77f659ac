# What the checks of deploy/ have in common: a line for each tool and what it says, and the count of what failed.
# shellcheck shell=bash

failed=0

# passes TOOL SUBJECT COMMAND…
passes() {
    local tool=$1 subject=$2 output
    shift 2
    if output=$("$@" 2>&1); then
        verdict "$tool" "$subject" passed
    else
        verdict "$tool" "$subject" FAILED
        echo "$* says:"
        echo "$output"
        failed=$((failed + 1))
    fi
}

# Like `passes`, for tools that end with 0 and only talk about what is wrong.
passes_silently() {
    passes "$1" "$2" silently "${@:3}"
}

silently() {
    local output
    output=$("$@" 2>&1) || {
        echo "$output"
        return 1
    }
    [[ -z $output ]] || {
        echo "$output"
        return 1
    }
}

# For what cannot run on this machine.
not_checked() {
    verdict "$1" "$2" "not checked: $3"
}

verdict() {
    printf '%-22s %-62s %s\n' "$@"
}

finish() {
    [[ $failed -eq 0 ]]
}

at_most() {
    [[ $1 -le $2 ]] || {
        echo "$1 is more than $2"
        return 1
    }
}
