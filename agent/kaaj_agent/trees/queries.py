"""What counts as a definition and as a reference, by language, as tree-sitter queries.

A definition's node is captured by its kind: `class` (has members), `function` (has a body), `container` (members of
a type that is defined elsewhere: Rust's `impl`, Swift's `extension`), `type` and `value` (a name for a type or a
constant at the top), `declaration` (a function without its body). `name` is the identifier, `owner` the type that a
definition outside of it belongs to.

A reference's node is the identifier itself: `imported` by name, `member` of something whose type nobody knows here,
or `reference` for any other.
"""

from __future__ import annotations

from typing import Final

_JAVASCRIPT: Final = """
(function_declaration name: (_) @name) @function
(generator_function_declaration name: (_) @name) @function
(method_definition name: [(property_identifier) (private_property_identifier)] @name) @function
(class_declaration name: (_) @name) @class
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)
  (generator_function)]) @function
(variable_declarator name: (identifier) @name value: (class)) @class
(assignment_expression left: [(identifier) @name (member_expression property: (property_identifier) @name)]
  right: [(arrow_function) (function_expression) (generator_function)]) @function
(pair key: (property_identifier) @name value: [(arrow_function) (function_expression)
  (generator_function)]) @function
(program (lexical_declaration (variable_declarator name: (identifier) @name
  value: [(number) (string) (template_string) (array) (object) (new_expression) (call_expression) (regex)
  (true) (false)]) @value))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name
  value: [(number) (string) (template_string) (array) (object) (new_expression) (call_expression) (regex)
  (true) (false)]) @value)))
"""
_JAVASCRIPT_REFERENCES: Final = """
(call_expression function: (identifier) @reference)
(call_expression function: (member_expression property: (property_identifier) @member))
(new_expression constructor: (identifier) @reference)
(new_expression constructor: (member_expression property: (property_identifier) @reference))
(import_specifier name: (identifier) @imported)
(import_clause (identifier) @imported)
(variable_declarator name: (object_pattern (shorthand_property_identifier_pattern) @imported)
  value: (call_expression function: (identifier) @_require))
(export_specifier name: (identifier) @reference)
"""
_JSX_REFERENCES: Final = """
(jsx_opening_element name: (identifier) @reference)
(jsx_self_closing_element name: (identifier) @reference)
"""
_TYPESCRIPT: Final = (
    _JAVASCRIPT
    + """
(abstract_class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(type_alias_declaration name: (_) @name) @type
(public_field_definition name: (property_identifier) @name
  value: [(arrow_function) (function_expression)]) @function
(function_signature name: (_) @name) @declaration
(method_signature name: (property_identifier) @name) @declaration
(abstract_method_signature name: (property_identifier) @name) @declaration
"""
)
_TYPESCRIPT_REFERENCES: Final = (
    _JAVASCRIPT_REFERENCES
    + """
(type_annotation (type_identifier) @reference)
(type_arguments (type_identifier) @reference)
(generic_type name: (type_identifier) @reference)
(array_type (type_identifier) @reference)
(union_type (type_identifier) @reference)
(extends_clause value: (identifier) @reference)
(implements_clause (type_identifier) @reference)
(extends_type_clause type: (type_identifier) @reference)
(decorator (identifier) @reference)
(decorator (call_expression function: (identifier) @reference))
"""
)
_C: Final = """
(function_definition declarator: (function_declarator declarator: (identifier) @name)) @function
(function_definition declarator: (pointer_declarator
  declarator: (function_declarator declarator: (identifier) @name))) @function
(function_definition declarator: (pointer_declarator declarator: (pointer_declarator
  declarator: (function_declarator declarator: (identifier) @name)))) @function
(struct_specifier name: (type_identifier) @name body: (_)) @class
(union_specifier name: (type_identifier) @name body: (_)) @class
(enum_specifier name: (type_identifier) @name body: (_)) @class
(type_definition declarator: (type_identifier) @name) @type
(declaration declarator: (function_declarator declarator: (identifier) @name)) @declaration
(declaration declarator: (pointer_declarator
  declarator: (function_declarator declarator: (identifier) @name))) @declaration
(preproc_def name: (identifier) @name value: (_)) @value
(preproc_function_def name: (identifier) @name) @value
"""
_C_REFERENCES: Final = """
(call_expression function: (identifier) @reference)
(call_expression function: (field_expression field: (field_identifier) @member))
(type_identifier) @reference
"""

DEFINITIONS: Final = {
    "python": """
(function_definition name: (identifier) @name) @function
(class_definition name: (identifier) @name) @class
(module (expression_statement (assignment left: (identifier) @name)) @value)
(type_alias_statement left: (type (identifier) @name)) @type
""",
    "javascript": _JAVASCRIPT
    + "(field_definition property: (_) @name value: [(arrow_function) (function_expression)]) @function",
    "typescript": _TYPESCRIPT,
    "tsx": _TYPESCRIPT,
    "rust": """
(function_item name: (_) @name) @function
(function_signature_item name: (_) @name) @declaration
(struct_item name: (_) @name) @class
(enum_item name: (_) @name) @class
(union_item name: (_) @name) @class
(trait_item name: (_) @name) @class
(impl_item type: [(type_identifier) @name (generic_type type: (type_identifier) @name)
  (generic_type type: (scoped_type_identifier name: (type_identifier) @name))
  (scoped_type_identifier name: (type_identifier) @name)]) @container
(type_item name: (_) @name) @type
(const_item name: (_) @name) @value
(static_item name: (_) @name) @value
(macro_definition name: (_) @name) @function
""",
    "go": """
(function_declaration name: (_) @name) @function
(method_declaration receiver: (parameter_list (parameter_declaration type: [
  (type_identifier) @owner (pointer_type (type_identifier) @owner) (generic_type type: (type_identifier) @owner)
  (pointer_type (generic_type type: (type_identifier) @owner))])) name: (_) @name) @function
(type_spec name: (_) @name type: [(struct_type) (interface_type)]) @class
(type_spec name: (_) @name type: [(type_identifier) (map_type) (slice_type) (array_type) (function_type)
  (pointer_type) (channel_type) (qualified_type)]) @type
(type_alias name: (_) @name) @type
(source_file (const_declaration (const_spec name: (identifier) @name) @value))
(source_file (var_declaration [(var_spec name: (identifier) @name) @value
  (var_spec_list (var_spec name: (identifier) @name) @value)]))
""",
    "java": """
(method_declaration name: (_) @name body: (_)) @function
(constructor_declaration name: (_) @name) @function
(compact_constructor_declaration name: (_) @name) @function
(method_declaration name: (_) @name !body) @declaration
(class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(record_declaration name: (_) @name) @class
(annotation_type_declaration name: (_) @name) @class
""",
    "kotlin": """
(function_declaration name: (_) @name) @function
(class_declaration name: (_) @name) @class
(object_declaration name: (_) @name) @class
(type_alias type: (identifier) @name) @type
(source_file (property_declaration (variable_declaration (identifier) @name)) @value)
""",
    "c": _C,
    "cpp": _C
    + """
(class_specifier name: (type_identifier) @name body: (_)) @class
(function_definition declarator: (function_declarator declarator: [(field_identifier) (operator_name)
  (destructor_name)] @name)) @function
(function_definition declarator: (reference_declarator (function_declarator declarator: [(identifier)
  (field_identifier) (operator_name)] @name))) @function
(function_definition declarator: (pointer_declarator declarator: (function_declarator
  declarator: (field_identifier) @name))) @function
(function_definition declarator: (function_declarator declarator: (qualified_identifier
  scope: [(namespace_identifier) @owner (template_type name: (_) @owner)]
  name: [(identifier) (destructor_name) (operator_name)] @name))) @function
(function_definition declarator: (function_declarator declarator: (qualified_identifier
  name: (qualified_identifier scope: [(namespace_identifier) @owner (template_type name: (_) @owner)]
  name: [(identifier) (destructor_name) (operator_name)] @name)))) @function
(function_definition declarator: (reference_declarator (function_declarator declarator: (qualified_identifier
  scope: [(namespace_identifier) @owner (template_type name: (_) @owner)]
  name: [(identifier) (operator_name)] @name)))) @function
(function_definition declarator: (pointer_declarator declarator: (function_declarator
  declarator: (qualified_identifier scope: [(namespace_identifier) @owner (template_type name: (_) @owner)]
  name: (identifier) @name)))) @function
(field_declaration declarator: (function_declarator declarator: (field_identifier) @name)) @declaration
(alias_declaration name: (type_identifier) @name) @type
(concept_definition name: (identifier) @name) @type
""",
    "csharp": """
(method_declaration name: (_) @name body: (_)) @function
(method_declaration name: (_) @name !body) @declaration
(constructor_declaration name: (_) @name) @function
(local_function_statement name: (_) @name) @function
(property_declaration name: (_) @name) @function
(class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(struct_declaration name: (_) @name) @class
(record_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(delegate_declaration name: (_) @name) @type
""",
    "swift": """
(function_declaration name: (simple_identifier) @name) @function
(init_declaration name: "init" @name) @function
(class_declaration name: (type_identifier) @name) @class
(class_declaration name: (user_type (type_identifier) @name)) @container
(protocol_declaration name: (type_identifier) @name) @class
(protocol_function_declaration name: (simple_identifier) @name) @declaration
(typealias_declaration name: (type_identifier) @name) @type
(source_file (property_declaration name: (pattern (simple_identifier) @name)) @value)
""",
    "php": """
(function_definition name: (name) @name) @function
(method_declaration name: (name) @name body: (_)) @function
(method_declaration name: (name) @name !body) @declaration
(class_declaration name: (name) @name) @class
(interface_declaration name: (name) @name) @class
(trait_declaration name: (name) @name) @class
(enum_declaration name: (name) @name) @class
(program (const_declaration (const_element (name) @name)) @value)
""",
    "ruby": """
(method name: (_) @name) @function
(singleton_method name: (_) @name) @function
(class name: [(constant) @name (scope_resolution name: (_) @name)]) @class
(module name: [(constant) @name (scope_resolution name: (_) @name)]) @class
(program (assignment left: (constant) @name) @value)
""",
    "lua": """
(function_declaration name: (identifier) @name) @function
(function_declaration name: (dot_index_expression table: (identifier) @owner field: (identifier) @name)) @function
(function_declaration name: (method_index_expression table: (identifier) @owner
  method: (identifier) @name)) @function
(assignment_statement (variable_list . name: (identifier) @name)
  (expression_list . value: (function_definition))) @function
(assignment_statement (variable_list . name: (dot_index_expression table: (identifier) @owner
  field: (identifier) @name)) (expression_list . value: (function_definition))) @function
(field name: (identifier) @name value: (function_definition)) @function
""",
    "bash": """
(function_definition name: (word) @name) @function
(program (variable_assignment name: (variable_name) @name) @value)
""",
}

REFERENCES: Final = {
    "python": """
(call function: (identifier) @reference)
(call function: (attribute attribute: (identifier) @member))
(import_from_statement name: (dotted_name (identifier) @imported .))
(import_from_statement name: (aliased_import name: (dotted_name (identifier) @imported .)))
(class_definition superclasses: (argument_list [(identifier) @reference
  (attribute attribute: (identifier) @reference)]))
(decorator [(identifier) @reference (attribute attribute: (identifier) @reference)])
(type (identifier) @reference)
(type (generic_type (identifier) @reference))
(type (binary_operator (identifier) @reference))
""",
    "javascript": _JAVASCRIPT_REFERENCES + _JSX_REFERENCES + "(class_heritage (identifier) @reference)",
    "typescript": _TYPESCRIPT_REFERENCES,
    "tsx": _TYPESCRIPT_REFERENCES + _JSX_REFERENCES,
    "rust": """
(call_expression function: (identifier) @reference)
(call_expression function: (field_expression field: (field_identifier) @member))
(call_expression function: (scoped_identifier name: (identifier) @member))
(call_expression function: (generic_function function: (identifier) @reference))
(macro_invocation macro: (identifier) @reference)
(type_identifier) @reference
(use_declaration argument: (scoped_identifier name: (identifier) @imported))
(use_list (identifier) @imported)
(scoped_identifier path: (identifier) @reference)
""",
    "go": """
(call_expression function: (identifier) @reference)
(call_expression function: (selector_expression field: (field_identifier) @member))
(type_identifier) @reference
""",
    "java": """
(method_invocation !object name: (identifier) @reference)
(method_invocation object: (_) name: (identifier) @member)
(method_reference (identifier) @member .)
(type_identifier) @reference
(import_declaration (scoped_identifier name: (identifier) @imported))
(method_invocation object: (identifier) @reference)
(annotation name: (identifier) @reference)
(marker_annotation name: (identifier) @reference)
""",
    "kotlin": """
(call_expression . (identifier) @reference)
(call_expression . (navigation_expression (identifier) @member .))
(user_type (identifier) @reference)
(import (qualified_identifier (identifier) @imported .))
(navigation_expression . (identifier) @reference)
""",
    "c": _C_REFERENCES,
    "cpp": _C_REFERENCES
    + """
(call_expression function: (qualified_identifier name: (identifier) @reference))
(call_expression function: (template_function name: (identifier) @reference))
(qualified_identifier scope: (namespace_identifier) @reference)
""",
    "csharp": """
(invocation_expression function: (identifier) @reference)
(invocation_expression function: (member_access_expression name: (identifier) @member))
(invocation_expression function: (member_access_expression name: (generic_name (identifier) @member)))
(member_access_expression expression: (identifier) @reference)
(object_creation_expression type: (identifier) @reference)
(object_creation_expression type: (generic_name (identifier) @reference))
(base_list (identifier) @reference)
(base_list (generic_name (identifier) @reference))
(variable_declaration type: (identifier) @reference)
(parameter type: (identifier) @reference)
(property_declaration type: (identifier) @reference)
(type_argument_list (identifier) @reference)
(attribute name: (identifier) @reference)
""",
    "swift": """
(call_expression . (simple_identifier) @reference)
(call_expression . (navigation_expression suffix: (navigation_suffix suffix: (simple_identifier) @member)))
(user_type (type_identifier) @reference)
""",
    "php": """
(function_call_expression function: [(name) @reference (qualified_name (name) @reference)])
(member_call_expression name: (name) @member)
(scoped_call_expression name: (name) @member)
(scoped_call_expression scope: (name) @reference)
(object_creation_expression [(name) @reference (qualified_name (name) @reference)])
(named_type [(name) @reference (qualified_name (name) @reference)])
(base_clause [(name) @reference (qualified_name (name) @reference)])
(class_interface_clause [(name) @reference (qualified_name (name) @reference)])
(namespace_use_clause [(name) @imported (qualified_name (name) @imported)])
(use_declaration (name) @reference)
""",
    "ruby": """
(call !receiver method: (identifier) @reference)
(call receiver: (_) method: (identifier) @member)
(constant) @reference
""",
    "lua": """
(function_call name: [(identifier) @reference (dot_index_expression field: (identifier) @member)
  (method_index_expression method: (identifier) @member)])
""",
    "bash": "(command name: (command_name (word) @reference))",
}
