//! JSON Schema of a scenario, for completion in editors.

use super::settings::Scenario;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// The schema. No key is required in it, because a key may come from what the scenario extends; whether
/// anything is missing is for `check` to say.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Scenario>().to_value();
    relax(&mut schema);
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.insert(
            "extends".to_owned(),
            json!({
                "description": "Presets or files that this scenario builds on, merged left to right; its own keys win.",
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
            }),
        );
    }
    if let Some(tiered) = schema["$defs"]["TieredSettings"]["properties"].as_object_mut() {
        for (key, text) in [
            (
                "file",
                "A JSON file of brackets by symbol, as Binance's interface has them, in the place of `brackets`.",
            ),
            ("symbol", "The symbol in the file, such as BTCUSDT."),
        ] {
            tiered.insert(
                key.to_owned(),
                json!({ "description": text, "type": "string" }),
            );
        }
    }
    if let Some(margin) = schema["$defs"]["MarginSettings"]["properties"].as_object_mut() {
        margin.insert(
            "extends".to_owned(),
            json!({
                "description": "A margin rule that is built in, or a rule file, that this section builds on.",
                "type": "string"
            }),
        );
    }
    schema
}

/// Drops what is required of every object but the variants of a choice.
fn relax(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let variant = object
                .get("required")
                .and_then(Value::as_array)
                .is_some_and(|required| required.len() == 1)
                && object
                    .get("properties")
                    .and_then(Value::as_object)
                    .is_some_and(|properties| properties.len() == 1);
            if !variant {
                object.remove("required");
            }
            object.values_mut().for_each(relax);
        }
        Value::Array(list) => list.iter_mut().for_each(relax),
        _ => {}
    }
}
