//! docs/REPORTS.md has the presets and fields of the program. `DOCUMENTS_RENEW=1` writes their tables again.

use std::{env, fs};

use ga4_exporter_core::{
    names::Category,
    report::{
        Addition, Unit,
        fields::{FieldKind, Standard, name, standard::Former},
        preset::PRESETS,
    },
};

#[test]
fn the_manual_of_reports_has_the_presets_and_fields_of_the_program() {
    let mut manual = fs::read_to_string(MANUAL).unwrap();
    let is_update = env::var_os("DOCUMENTS_RENEW").is_some();
    for (heading, table) in [
        ("Presets", presets()),
        ("Metrics", metrics()),
        ("Dimensions", dimensions()),
        ("Fields of your own", custom()),
        ("Former names", former()),
    ] {
        let (before, section) =
            manual.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
        let (section, after) = section.split_once("\n## ").map_or((section, None), |(one, rest)| (one, Some(rest)));
        let written: String =
            section.lines().filter(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect();
        if is_update {
            let prose: Vec<&str> = section.lines().filter(|line| !line.starts_with('|')).collect();
            let after = after.map(|after| format!("\n## {after}")).unwrap_or_default();
            manual = format!("{before}\n## {heading}\n\n{}\n\n{table}{after}", prose.join("\n").trim());
        } else {
            assert_eq!(written, table, "{MANUAL}: run this test with DOCUMENTS_RENEW=1");
        }
    }
    if is_update {
        fs::write(MANUAL, manual).unwrap();
    }
}

fn presets() -> String {
    let mut table =
        "| preset | labels | metrics | rows | interval | what it shows |\n|---|---|---|---|---|---|\n".to_owned();
    for preset in PRESETS {
        let draft = preset.draft(preset.name.parse().expect("the name of a preset is one of a report"));
        let labels: Vec<_> = draft.dimensions.iter().map(|split| format!("`{}`", split.label)).collect();
        let metrics: Vec<_> = draft.metrics.iter().map(|counted| format!("`{}`", counted.name)).collect();
        let interval = humantime::format_duration(preset.interval);
        table += &format!(
            "| `{}` | {} | {} | {} | {interval} | {} |\n",
            preset.name,
            labels.join(", "),
            metrics.join(", "),
            preset.limit,
            preset.about
        );
    }
    table
}

fn fields(kind: FieldKind, is_custom: bool) -> impl Iterator<Item = &'static Standard> {
    Standard::all()
        .filter(move |field| (field.kind, field.is_custom, field.is_out_of_reach()) == (kind, is_custom, false))
}

fn metrics() -> String {
    let mut table =
        "| metric | Google's name | what it is | unit | may be summed | reports |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for field in fields(FieldKind::Metric, false) {
        let unit = field.unit.unwrap_or(Unit::Plain);
        table += &format!(
            "| `{}` | `{}` | {} | {} | {} | {} |\n",
            name::metric(field.api_name, unit),
            field.api_name,
            field.ui_name,
            unit_words(unit),
            addition_words(field),
            reports(field)
        );
    }
    table
}

fn dimensions() -> String {
    let mut table = "| label | Google's name | what it is | reports | mind |\n|---|---|---|---|---|\n".to_owned();
    for field in fields(FieldKind::Dimension, false) {
        let notes = [
            (field.is_attributed, "of key events only"),
            (field.is_thresholded, "120 requests an hour, rows of few users withheld"),
            (field.has_many_values, "many values"),
        ];
        let notes: Vec<_> = notes.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note).collect();
        table += &format!(
            "| `{}` | `{}` | {} | {} | {} |\n",
            name::label(field.api_name),
            field.api_name,
            field.ui_name,
            reports(field),
            notes.join("; ")
        );
    }
    table
}

fn custom() -> String {
    let mut table = "| beginning | kind | unit | may be summed | reports |\n|---|---|---|---|---|\n".to_owned();
    for field in fields(FieldKind::Dimension, true).chain(fields(FieldKind::Metric, true)) {
        let is_metric = field.kind == FieldKind::Metric;
        let unit = field.unit.map_or("that of its registration: `unit`", unit_words);
        table += &format!(
            "| `{}:` | {} | {} | {} | {} |\n",
            field.api_name,
            if is_metric { "metric" } else { "dimension" },
            if is_metric { unit } else { "" },
            if is_metric { addition_words(field) } else { "" },
            reports(field)
        );
    }
    table
}

fn former() -> String {
    let mut table = "| former name | present name |\n|---|---|\n".to_owned();
    for former in Former::all() {
        let present = former.present.map_or_else(|| "none".to_owned(), |name| format!("`{name}`"));
        table += &format!("| `{}` | {present} |\n", former.api_name);
    }
    table
}

fn unit_words(unit: Unit) -> &'static str {
    match unit {
        Unit::Plain => "number",
        Unit::Ratio => "ratio, 0 to 1",
        Unit::Currency => "currency of the property",
        Unit::Milliseconds => "seconds (Google: milliseconds)",
        Unit::Seconds | Unit::Minutes | Unit::Hours => unit.word(),
        Unit::Meters | Unit::Kilometers | Unit::Feet | Unit::Miles => unit.word(),
    }
}

fn addition_words(field: &Standard) -> &'static str {
    match (field.api_name, field.addition) {
        ("sessions" | "engagedSessions", _) => "over sources, landing pages and devices",
        (_, Addition::Sum) => "yes",
        (_, Addition::Distinct) => "no: distinct",
        (_, Addition::Overlapping) => "no: rows overlap",
        (_, Addition::Ratio) => "no: a ratio",
        (_, Addition::Average) => "no: an average",
    }
}

fn reports(field: &Standard) -> &'static str {
    match (field.is_in(Category::Core), field.is_in(Category::Realtime)) {
        (true, true) => "both",
        (true, false) => "days",
        _ => "realtime",
    }
}

const MANUAL: &str = "docs/REPORTS.md";
