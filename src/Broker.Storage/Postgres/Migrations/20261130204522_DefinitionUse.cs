using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class DefinitionUse : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "from_file",
                table: "definition",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<long>(
                name: "seen_at",
                table: "definition",
                type: "bigint",
                nullable: true);

            // Documents of the jobs dialect begin so, as the broker itself writes them; all others came from workers.
            migrationBuilder.Sql("UPDATE definition SET from_file = TRUE WHERE document LIKE '%\"from_file\":true},\"steps\":{%'");
            migrationBuilder.Sql("UPDATE definition SET seen_at = registered_at WHERE document NOT LIKE '%\"jobs\":{%'");

            migrationBuilder.CreateIndex(
                name: "IX_definition_from_file",
                table: "definition",
                column: "from_file",
                filter: "from_file");

            migrationBuilder.CreateIndex(
                name: "IX_definition_seen_at",
                table: "definition",
                column: "seen_at",
                filter: "seen_at IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_definition_from_file",
                table: "definition");

            migrationBuilder.DropIndex(
                name: "IX_definition_seen_at",
                table: "definition");

            migrationBuilder.DropColumn(
                name: "from_file",
                table: "definition");

            migrationBuilder.DropColumn(
                name: "seen_at",
                table: "definition");
        }
    }
}
